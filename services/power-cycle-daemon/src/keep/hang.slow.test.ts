/** A device whose answer keeps the daemon's main thread busy: the watchdog ends the daemon, and the next one turns on what is off. */

import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient, powerCycleDaemonApi } from '@skolo/api';
import { cleanUps, listen, tempDir } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { startOwnProcess } from '@skolo/common/testing/own-process';
import { startHttpRelay } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { clientTimeoutMs, rackYaml, testAgentKey } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const atTheEnd = cleanUps();
const main = join(import.meta.dirname, '../main.ts');
const compute = pathToFileURL(join(import.meta.dirname, '../testing/compute.ts')).href;

/** A relay, and a device that answers when the test wants it to. */
async function startLab() {
  const dir = await tempDir(atTheEnd);
  const relay = await startHttpRelay({ outlets: 1 });
  atTheEnd(() => relay.close());
  const waiting: ServerResponse[] = [];
  const hostile = { contacts: 0, answer: undefined as string | undefined, reply };
  const server = createServer((_request, response) => {
    hostile.contacts += 1;
    if (hostile.answer !== undefined) send(response, hostile.answer);
    else waiting.push(response);
  });
  const hostilePort = await listen(server);
  atTheEnd(async () => server.closeAllConnections());
  /** It never ends, so that the reading does not, either. */
  function send(response: ServerResponse, body: string) {
    response.writeHead(200, { 'content-length': 100 });
    response.write(body);
  }
  /** Also to requests that follow. */
  function reply(body: string) {
    hostile.answer = body;
    for (const response of waiting.splice(0)) send(response, body);
  }
  const value = `'/relay/{outlet}/value'`;
  const entry = (name: string, port: number) => `  ${name}:
    model: http-switch
    address: 127.0.0.1
    ports: { http: ${port} }
    outlets: 1
    on: { method: PUT, path: ${value}, body: '1' }
    off: { method: PUT, path: ${value}, body: '0' }
    read: { path: ${value}, on: '^1$', off: '^0$' }
`;
  const yaml = `equipment:
${entry('relay', relay.port)}${entry('hostile', hostilePort)}machines:
  of-relay: { kind: host, power: relay/1, offSeconds: 20 }
  of-hostile: { kind: host, power: hostile/1, offSeconds: 2 }
`;
  await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  await writeFile(join(dir, 'rack.yaml'), rackYaml(yaml));
  const who = { name: 'ann', role: 'operate', expiresInDays: 1 } as const;
  const token = await newToken(join(dir, 'tokens.yaml'), who);
  const runtimeDir = join(dir, 'run');
  async function start() {
    const nodeFlags = ['--import', compute];
    const options = { atTheEnd, flags: { '--runtime-dir': runtimeDir }, nodeFlags };
    const started = await startOwnProcess(main, dir, options);
    const { url: baseUrl } = started;
    const timeoutMs = clientTimeoutMs;
    const client = createClient(powerCycleDaemonApi, { baseUrl, token, timeoutMs });
    const exited = new Promise((resolve) => {
      started.child.once('exit', (code, signal) => resolve(code ?? signal));
    });
    const why = async (what: string) => {
      const { degraded } = JSON.parse(await (await fetch(`${started.metricsUrl}/readyz`)).text());
      return degraded.find((each: { what: string }) => each.what === what)?.why;
    };
    return { ...started, client, exited, why };
  }
  return { relay, hostile, start, noted: () => readdir(runtimeDir) };
}

it('is killed while an outlet is off, and the next one turns it on and names the device', async () => {
  const { relay, hostile, start } = await startLab();
  const first = await start();
  await waitUntil(() => hostile.contacts || undefined);
  const body = { machines: ['of-relay'], reason: 'test', mode: 'hard' as const };
  const { cycles } = await first.client.requestCycles({ body, headers: {} });
  const { id = '' } = cycles[0] ?? {};
  await waitUntil(async () => {
    const { steps } = await first.client.cycle({ params: { id } });
    return steps.some(({ text }) => text === 'relay/1 is reported as off') || undefined;
  });

  hostile.reply('compute 3600000 ms');

  expect(await first.exited).toBe('SIGKILL');
  hostile.answer = undefined;
  expect(relay.board.isOn('1')).toBe(false);
  const second = await start();
  const cycle = await waitUntil(async () => {
    const found = await second.client.cycle({ params: { id } });
    return found.outcome === undefined ? undefined : found;
  });
  expect(cycle.outcome).toBe('unproven');
  expect(relay.board.isOn('1')).toBe(true);
  expect(await second.why('suspect hostile')).toContain('killed once while it contacted hostile');
});

it('leaves a note of a device at a clean stop only if that blocked it', async () => {
  const { hostile, start, noted } = await startLab();
  const first = await start();
  await waitUntil(() => hostile.contacts || undefined);
  hostile.reply('compute 1 ms');
  await waitUntil(async () => ((await noted()).includes('hostile') ? true : undefined));
  expect(await first.end('SIGTERM')).toBe(0);
  expect(await noted()).toEqual([]);
  hostile.answer = undefined;

  const second = await start();
  const before = hostile.contacts;
  await waitUntil(() => hostile.contacts > before || undefined);
  hostile.reply('compute 3000 ms');
  // It takes the signal after the computation.
  await waitUntil(() => second.lines.some(({ msg }) => msg === 'computing') || undefined);
  expect(await second.end('SIGTERM')).toBe(0);

  // The relay may have been asked at the same time.
  expect(await noted()).toContain('hostile');
});

it('is killed by one device three times, and then never contacts it', async () => {
  const { hostile, start } = await startLab();
  hostile.answer = 'compute 3600000 ms';
  for (const time of [1, 2, 3]) {
    const daemon = await start();
    expect(await daemon.exited).toBe('SIGKILL');
    expect(hostile.contacts).toBe(time);
  }

  const last = await start();

  const controller = await waitUntil(async () => {
    const { controllers } = await last.client.controllers();
    return controllers.find(({ name, state }) => name === 'hostile' && state === 'down');
  });
  expect(controller.detail).toContain('not contacted until a person orders');
  expect(await last.why('suspect hostile')).toContain('killed 3 times');
  expect(hostile.contacts).toBe(3);
  expect(await last.end('SIGTERM')).toBe(0);
});
