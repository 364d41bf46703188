/** `kill -9` of the service while it reads a device: the continued run reads all others first, and that one alone. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { type CliDevice, startEos } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { startBackupProcess } from '../testing/backup-process.ts';

const poll = { interval: 50 };
const login = { username: 'skolo', password: 'secret' };

async function startLab() {
  const dir = await tempDir();
  const devices: Record<string, CliDevice> = {};
  for (const name of ['hostile', 'switch-1', 'switch-2']) {
    const device = await startEos(login);
    onTestFinished(() => device.close());
    devices[name] = device;
  }
  const entries = Object.entries(devices).map(
    ([name, { port }]) =>
      `  ${name}: { model: eos, address: 127.0.0.1, ports: { ssh: ${port} }, login: switches }`,
  );
  await writeFile(join(dir, 'password'), login.password, { mode: 0o600 });
  const yaml = `rack: rack1
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml } }
logins: { switches: { username: skolo, password: { file: password } } }
equipment:
${entries.join('\n')}
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  router-backup: { jitterSeconds: 0, concurrency: 1, jumphost: { backup: false } }
`;
  await writeFile(join(dir, 'rack.yaml'), yaml);
  const who = { name: 'ann', role: 'admin', expiresInDays: 1 } as const;
  const token = await newToken(join(dir, 'tokens.yaml'), who);
  const runtimeDir = join(dir, 'run');
  const start = () => startBackupProcess(dir, token, { '--runtime-dir': runtimeDir });
  return { devices, start, runtimeDir, noted: () => readdir(runtimeDir) };
}

it('reads a device that killed it last, or as soon as a person names it', async () => {
  const { devices, start, noted } = await startLab();
  devices.hostile?.faults.set('wedged');
  const first = await start();
  const { id } = await first.client.requestBackup({ body: {} });
  await expect.poll(noted, poll).toEqual(['hostile']);

  await first.end('SIGKILL');
  for (const { faults, received } of Object.values(devices)) {
    faults.clear();
    received.length = 0;
  }
  const second = await start();
  const { degraded } = JSON.parse(await (await fetch(`${second.metricsUrl}/readyz`)).text());
  expect(degraded).toContainEqual(expect.objectContaining({ what: 'suspect hostile' }));
  const stateOf = async (name: string) => {
    const run = await second.client.backup({ params: { id } });
    return run.equipment.find(({ equipment }) => equipment === name)?.state;
  };
  for (const name of ['switch-1', 'switch-2'])
    await expect.poll(() => stateOf(name), poll).toBe('done');
  const named = await second.client.requestBackup({ body: { equipment: ['hostile'] } });
  const finished = async (run: string) =>
    (await second.client.backup({ params: { id: run } })).finishedAt;
  for (const run of [named.id, id]) await expect.poll(() => finished(run), poll).toBeDefined();

  const firstOf = (name: string) => devices[name]?.received[0]?.at ?? 0;
  expect(firstOf('switch-1')).toBeGreaterThan(0);
  expect(firstOf('hostile')).toBeGreaterThanOrEqual(firstOf('switch-2'));
  expect(await second.end('SIGTERM')).toBe(0);
  expect(await noted()).toEqual([]);
});

it('reads a device that killed it three times only if a person names it', async () => {
  const { devices, start, runtimeDir } = await startLab();
  await mkdir(runtimeDir);
  const note = { state: 'contacted', crashes: 2 };
  await writeFile(join(runtimeDir, 'hostile'), JSON.stringify(note));
  const { client, end } = await start();
  const finished = async (body: { equipment?: string[] }) => {
    const { id } = await client.requestBackup({ body });
    const run = async () => await client.backup({ params: { id } });
    await expect.poll(async () => (await run()).finishedAt, poll).toBeDefined();
    return (await run()).equipment;
  };

  const all = await finished({});

  expect(all).toContainEqual(
    expect.objectContaining({
      equipment: 'hostile',
      result: 'failed',
      failure: 'rejected',
      detail: expect.stringContaining('not contacted until a person orders a backup'),
    }),
  );
  expect(all.filter(({ result }) => result === 'failed')).toHaveLength(1);
  expect(devices.hostile?.received).toEqual([]);
  const [named] = await finished({ equipment: ['hostile'] });
  expect(named?.result).toBe('changed');
  expect(await end('SIGTERM')).toBe(0);
});
