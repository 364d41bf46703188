/** Devices whose answers are data: what each transport needs to ask them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseJson } from '@skolo/base';
import { listen, tempDir } from '@skolo/base/testing';
import { type SnmpValue, startBroker, startPlayback, startSnmpRecording } from '@skolo/simulators';
import { connectAsync } from 'mqtt';
import { onTestFinished, vi } from 'vitest';
import { placeOf } from '../http.ts';
import type { Place } from '../outlets.ts';
import type { AnsweringDevice } from '../proof.ts';
import { logins } from '../snmp.ts';

/** The answer to a request as its transport writes it: a text, or an object; undefined: nothing. */
type Answer = (request: string) => unknown;

interface Served {
  place: Place;
  /** All requests so far. */
  received(): readonly string[];
  /** To be called after the answers have changed. */
  refresh?(): Promise<void>;
}

type Serve = (answer: Answer) => Promise<Served>;

/** `GET /path body`; the number of a JSON-RPC request is repeated. */
export const http: Serve = async (answer) => {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const asked = `${request.method} ${request.url} ${body}`;
    received.push(asked);
    const said = answer(asked) ?? {};
    const call = parseJson(body);
    const id = typeof call === 'object' && call !== null && 'id' in call ? { id: call.id } : {};
    response.end(typeof said === 'string' ? said : JSON.stringify(Object.assign(said, id)));
  });
  const place = placeOf({ host: '127.0.0.1', port: await listen(server) });
  return { place, received: () => received };
};

const login = { username: 'skolo', password: 'secret' };

/** Commands at a prompt, or in channels. */
function ssh(prompt: string): Serve {
  return async (answer) => {
    const talks = [{ kind: 'shell', said: [{ received: `\r\n${prompt}` }] }] as const;
    const device = await startPlayback({ transport: 'ssh', talks }, login, (command) => {
      const said = answer(command) ?? '';
      return typeof said === 'string' ? said : JSON.stringify(said);
    });
    onTestFinished(() => device.close());
    const { host, ports, hostKey = '', received } = device;
    const place: Place = { address: host, ports, hostKey, login, transport: 'ssh' };
    return { place, received: () => received };
  };
}

/** `set OID=VALUE`. The answer has numbers and texts by OID. */
const snmp: Serve = async (answer) => {
  const values = () => new Map(entries(answer('')).map(([oid, value]) => [oid, snmpValue(value)]));
  const device = await startSnmpRecording(values(), (oid) => values().get(oid));
  onTestFinished(() => device.close());
  const { host, port } = device;
  return {
    place: { address: host, ports: { snmp: port }, transport: 'snmp', login: { snmp: logins.v2c } },
    received: () => device.received.map(({ text: asked }) => asked),
  };
};

function entries(said: unknown): [string, unknown][] {
  return typeof said === 'object' ? Object.entries(said ?? {}) : [];
}

function snmpValue(value: unknown): SnmpValue {
  if (typeof value === 'number') return { type: 'integer', value };
  if (value === null) return { type: 'null' };
  return { type: 'octets', value: String(value) };
}

/** `TOPIC PAYLOAD`. The answer has payloads by topic; those of `tele/` are retained, and older than any question. */
const mqtt: Serve = async (answer) => {
  const broker = await startBroker();
  onTestFinished(() => broker.close());
  const { host, port } = broker;
  const client = await connectAsync({ host, port, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const received: string[] = [];
  const publish = async (asked: string, retain: boolean) => {
    for (const [topic, said] of entries(answer(asked))) {
      const payload = typeof said === 'string' ? said : JSON.stringify(said);
      if (topic.startsWith('tele/') === retain)
        await client.publishAsync(topic, payload, { retain, qos: 1 });
    }
  };
  client.on('message', (topic, payload) => {
    received.push(`${topic} ${payload}`);
    void publish(`${topic} ${payload}`, false);
  });
  await client.subscribeAsync('cmnd/#');
  return {
    place: { address: host, ports: { mqtt: port }, transport: 'mqtt', login: {} },
    received: () => received,
    refresh: () => publish('', true),
  };
};

/** `ARGUMENTS` of a program in the PATH. */
function program(name: string, requests: readonly string[]): Serve {
  return async (answer) => {
    const dir = await tempDir();
    const log = join(dir, 'log');
    const answers = requests.map((request, index) => `*"${request}"*) cat ${dir}/${index};;`);
    const script = `#!/bin/sh\necho "$*" >> ${log}\ncase "$*" in\n${answers.join('\n')}\nesac\n`;
    writeFileSync(join(dir, name), script, { mode: 0o755 });
    writeFileSync(log, '');
    vi.stubEnv('PATH', `${dir}:/usr/bin:/bin`);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    return {
      place: { address: '127.0.0.1', login },
      received: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
      async refresh() {
        for (const [index, request] of requests.entries())
          writeFileSync(join(dir, `${index}`), `${answer(request) ?? ''}\n`);
      },
    };
  };
}

/** Starts a device that answers so. */
export function serve(device: AnsweringDevice, answer: Answer): Promise<Served> {
  if (device.over === 'ssh') return ssh(device.prompt)(answer);
  if (device.over === 'program')
    return program(device.program, Object.keys(device.answers))(answer);
  return { http, mqtt, snmp }[device.over](answer);
}
