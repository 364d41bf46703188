/** `kill -9` of an idle daemon: the next process knows all that people and machines have told it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newAgentKey } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { startHttpRelay } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { problem, rackYaml, testAgentKey } from './testing/daemon.ts';
import { type DaemonProcess, startDaemonProcess } from './testing/daemon-process.ts';
import { sendAsMachine } from './testing/machine-request.ts';
import { waitUntil } from './testing/wait-until.ts';

const value = `'/relay/{outlet}/value'`;
const keyOfA = newAgentKey();

function ask({ client }: DaemonProcess, key: string) {
  const body = { machines: ['cut'], reason: 'dead', mode: 'hard' as const };
  return client.requestCycles({ body, headers: { 'idempotency-key': key } });
}

/** Once nothing is under way. */
async function known({ client }: DaemonProcess) {
  const { cycles } = await waitUntil(async () => {
    const found = await client.cycles();
    return found.cycles.every(({ outcome }) => outcome) ? found : undefined;
  });
  const { outlets } = await waitUntil(async () => {
    const found = await client.outlets();
    return found.outlets.every(({ state }) => state !== 'unknown') ? found : undefined;
  });
  const off = outlets.flatMap(({ readAt: _, ...outlet }) => (outlet.switchedOff ? outlet : []));
  const { holds } = await waitUntil(() => client.holds());
  const { hostKeys } = await waitUntil(() => client.hostKeys());
  return { cycles, holds, hostKeys, off };
}

async function sendOwn({ url }: DaemonProcess, key = newAgentKey()) {
  return await sendAsMachine({ url, key, from: '127.0.1.1', path: '/v1/own-holds' });
}

it('knows holds, offs, cycles, their limits and requests, and keys of machines', async () => {
  const dir = await tempDir();
  const relay = await startHttpRelay({ outlets: 4 });
  onTestFinished(() => relay.close());
  const rack = `equipment:
  relay:
    model: http-switch
    address: 127.0.0.1
    ports: { http: ${relay.port} }
    outlets: 4
    on: { method: PUT, path: ${value}, body: '1' }
    off: { method: PUT, path: ${value}, body: '0' }
    read: { path: ${value}, on: '^1$', off: '^0$' }
machines:
  a: { kind: rpi, address: 127.0.1.1, power: relay/1 }
  dark: { kind: host, power: relay/2 }
  cut: { kind: host, power: relay/3, offSeconds: 0.5 }
`;
  await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  await writeFile(join(dir, 'rack.yaml'), rackYaml(rack, '', 300));
  const who = { name: 'ann', role: 'operate', expiresInDays: 1 } as const;
  const token = await newToken(join(dir, 'tokens.yaml'), who);
  const first = await startDaemonProcess(dir, token);
  await first.client.hold({ body: { targets: ['dark', 'a'], reason: 'fan' } });
  const off = { targets: ['dark'], state: 'off' as const, reason: 'smoke', force: true };
  await first.client.switchOutlets({ body: off });
  expect((await sendOwn(first, keyOfA)).status).toBe(200);
  const asked = await ask(first, 'k1');
  const before = await known(first);

  await first.end('SIGKILL');
  const next = await startDaemonProcess(dir, token);

  expect(before).toMatchObject({
    cycles: [
      { target: 'cut', outcome: 'unproven' },
      { target: 'dark', outcome: 'off' },
    ],
    holds: [{ target: 'dark' }, { target: 'a' }],
    hostKeys: [{ equipment: 'agent of a' }],
    off: [{ outlet: 'relay/2', state: 'off', switchedOff: { by: 'ann', reason: 'smoke' } }],
  });
  expect(await known(next)).toEqual(before);
  expect(relay.board.isOn('2')).toBe(false);
  expect(await ask(next, 'k1')).toEqual(asked);
  expect(await problem(ask(next, 'k2'))).toMatchObject({ rejected: [{ code: 'cooling-down' }] });
  expect(await sendOwn(next)).toMatchObject({ status: 403 });
});
