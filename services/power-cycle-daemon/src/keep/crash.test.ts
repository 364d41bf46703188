/** `kill -9` of the daemon while it reads a device: the next process reads all others first, and a person's order still reaches it. */

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUps, tempDir } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { type SimulatedDevice, startHttpRelay } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { rackYaml, testAgentKey } from '../testing/daemon.ts';
import { type DaemonProcess, startDaemonProcess } from '../testing/daemon-process.ts';
import { waitUntil } from '../testing/wait-until.ts';

const atTheEnd = cleanUps();

/** Two healthy relays around one that never answers. */
async function startLab() {
  const dir = await tempDir(atTheEnd);
  const devices: Record<string, SimulatedDevice> = {};
  for (const name of ['relay-1', 'hostile', 'relay-2']) {
    const device = await startHttpRelay({ outlets: 1 });
    atTheEnd(() => device.close());
    devices[name] = device;
  }
  const value = `'/relay/{outlet}/value'`;
  const entry = ([name, { port }]: [string, SimulatedDevice]) => `  ${name}:
    model: http-switch
    address: 127.0.0.1
    ports: { http: ${port} }
    outlets: 1
    on: { method: PUT, path: ${value}, body: '1' }
    off: { method: PUT, path: ${value}, body: '0' }
    read: { path: ${value}, on: '^1$', off: '^0$' }`;
  const machine = (name: string) =>
    `  of-${name}: { kind: host, power: ${name}/1, offSeconds: 0.5 }`;
  const yaml = `equipment:
${Object.entries(devices).map(entry).join('\n')}
machines:
${Object.keys(devices).map(machine).join('\n')}
`;
  await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  await writeFile(join(dir, 'rack.yaml'), rackYaml(yaml));
  const who = { name: 'ann', role: 'operate', expiresInDays: 1 } as const;
  const token = await newToken(join(dir, 'tokens.yaml'), who);
  const runtimeDir = join(dir, 'run');
  const start = () => startDaemonProcess(dir, token, atTheEnd, { '--runtime-dir': runtimeDir });
  const contacted = (name: string) => devices[name]?.received.length ?? 0;
  const forget = () => {
    for (const { received } of Object.values(devices)) received.length = 0;
  };
  return { devices, start, noted: () => readdir(runtimeDir), contacted, forget };
}

async function suspects({ metricsUrl }: DaemonProcess): Promise<string[]> {
  const { degraded } = JSON.parse(await (await fetch(`${metricsUrl}/readyz`)).text());
  return degraded.flatMap(({ what }: { what: string }) => (what.startsWith('suspect') ? what : []));
}

it('reads a device that killed it last, and switches it if a person wants that', async () => {
  const { devices, start, noted, contacted, forget } = await startLab();
  devices.hostile?.faults.set('wedged');
  const first = await start();
  await waitUntil(async () => {
    const areRead = contacted('relay-1') > 0 && contacted('relay-2') > 0;
    return areRead && (await noted()).join() === 'hostile' ? true : undefined;
  });

  await first.end('SIGKILL');
  devices.hostile?.faults.clear();
  forget();
  const second = await start();

  expect(await suspects(second)).toEqual(['suspect hostile']);
  await waitUntil(() => (contacted('relay-1') > 0 && contacted('relay-2') > 0 ? true : undefined));
  const body = { machines: ['of-hostile'], reason: 'test', mode: 'hard' as const };
  const { cycles } = await second.client.requestCycles({ body, headers: {} });
  const cycle = await waitUntil(async () => {
    const found = await second.client.cycle({ params: { id: cycles[0]?.id ?? '' } });
    return found.outcome === undefined ? undefined : found;
  });
  expect(cycle.outcome).toBe('unproven');
  const [one = 0, two = 0, last = 0] = ['relay-1', 'relay-2', 'hostile'].map(
    (name) => devices[name]?.received[0]?.at,
  );
  expect(last).toBeGreaterThanOrEqual(Math.max(one, two));
  expect(await suspects(second)).toEqual([]);
  expect(await second.end('SIGTERM')).toBe(0);
  expect(await noted()).toEqual([]);
});

it('has no suspects when its predecessor was killed while it read nothing', async () => {
  const { start, noted, contacted } = await startLab();
  const first = await start();
  await waitUntil(async () =>
    contacted('relay-2') > 0 && (await noted()).length === 0 ? true : undefined,
  );
  await first.end('SIGKILL');

  expect(await suspects(await start())).toEqual([]);
});
