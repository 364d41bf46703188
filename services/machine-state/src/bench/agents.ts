/**
 * A rack's agents in one process: `node agents.ts COUNT CHANGE_MS [URL]`. Each changes once in CHANGE_MS, and has other readings in each
 * answer; with 0 nothing changes, not even readings. With a URL they push to it instead, at each change and as often as a long poll ends.
 */
import { once } from 'node:events';
import { Agent, createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AgentStatus } from '@skolo/api';

const [count = '300', changeMs = '60000', pushTo] = process.argv.slice(2);
const pollMs = 25_000;
const isStill = changeMs === '0';
const random = isStill ? () => 0.5 : Math.random;
const since = new Date().toISOString();
const keepAlive = new Agent({ keepAlive: true });

function newStatus(name: string, revision: number): AgentStatus {
  const isBusy = revision % 2 === 1;
  return {
    machine: name,
    revision: `1-${revision}`,
    orders: [],
    bootId: '6a0c53f0-0000-4000-8000-000000000000',
    task: isBusy
      ? { running: true, id: `6a1b${name}${revision}`, since: new Date().toISOString() }
      : { running: false },
    devices: [
      {
        name: 'device',
        state: 'present',
        kind: 'android',
        since,
        readAt: new Date().toISOString(),
        serial: 'HT4CTJT01234',
        dimensions: {
          device_type: ['redfin'],
          device_os: ['RQ3A.210605.005', 'R'],
          pool: ['phones'],
        },
        batteryPercent: 60 + Math.round(random() * 30),
        temperaturesCelsius: { battery: 25 + random() * 8, cpu: 30 + random() * 20 },
        uptimeSeconds: Math.round(process.uptime()),
      },
    ],
    health: { verdict: 'ok', since, reasons: [] },
    repairs: [],
    host: { diskFreeBytes: 9e9, diskSizeBytes: 3e10, celsius: 40 + random() * 10 },
    versions: { agent: '0.1.0', node: 'v22.21.0', python: '3.11.2' },
  };
}

function start(name: string): Promise<number> {
  let revision = 0;
  const waiting = new Set<() => void>();
  const change = () => {
    revision += 1;
    for (const end of [...waiting]) end();
    if (pushTo !== undefined) push(pushTo, newStatus(name, revision));
  };
  const first = () => {
    change();
    setInterval(change, Number(changeMs));
  };
  if (!isStill) setTimeout(first, Math.random() * Number(changeMs));
  if (pushTo !== undefined) {
    setInterval(() => push(pushTo, newStatus(name, revision)), pollMs);
    return Promise.resolve(0);
  }
  const server = createServer((incoming, response) => {
    const query = new URL(incoming.url ?? '', 'http://agent').searchParams;
    const answer = () => send(response, newStatus(name, revision));
    if (query.get('after') !== `1-${revision}`) return answer();
    const end = () => {
      clearTimeout(timer);
      waiting.delete(end);
      answer();
    };
    const timer = setTimeout(end, Number(query.get('waitSeconds')) * 1000);
    waiting.add(end);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  return once(server, 'listening').then(() => (server.address() as AddressInfo).port);
}

function send(response: ServerResponse, status: AgentStatus): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(status));
}

function push(url: string, status: AgentStatus): void {
  const headers = { 'content-type': 'application/json' };
  const sent = request(url, { method: 'POST', agent: keepAlive, headers }, (answer) =>
    answer.resume(),
  );
  sent.on('error', () => undefined).end(JSON.stringify(status));
}

const names = Array.from(
  { length: Number(count) },
  (_, i) => `m-${String(i + 1).padStart(3, '0')}`,
);
const ports = await Promise.all(names.map(start));
console.log(JSON.stringify({ listening: ports }));
