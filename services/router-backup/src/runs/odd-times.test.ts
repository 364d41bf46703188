/** What happens while a device waits, or is being read, or another service is started by mistake. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, startService } from '@skolo/common';
import { expect, it, onTestFinished } from 'vitest';
import { Versions } from '../history/versions.ts';
import { createRouterBackup } from '../service.ts';
import { startIdleLab, startLab, threeDevices } from '../testing/lab.ts';
import { smallRack } from '../testing/small-rack.ts';
import { Texts } from '../texts.ts';

it('a device that waits for its turn is not read when it is no longer in rack.yaml meanwhile', async () => {
  const lab = await startIdleLab({ settings: '    concurrency: 1' });
  const [first, second] = [lab.devices.get('router'), lab.devices.get('switch-1')];
  const before = second.reads;
  let open = () => undefined as unknown;
  first.gate = new Promise((resolve) => {
    open = () => resolve(undefined);
  });
  const { id } = await lab.admin.requestBackup({ body: { equipment: ['router', 'switch-1'] } });
  await expect.poll(() => first.reading).toBe(1);

  await lab.edit(threeDevices.replace(/.*switch-1.*\n/, ''), '    concurrency: 1');
  await expect.poll(async () => (await lab.device('switch-1')).state).toBe('retired');
  open();
  const run = await lab.finished(id);

  expect(second.reads).toBe(before);
  expect(run.equipment).toMatchObject([{ result: 'unchanged' }, { result: 'not-backed-up' }]);
});

it('an unforeseen error ends the attempt, and keeps no other run from beginning', async () => {
  let isOdd = false;
  const wanted = async () => {
    if (isOdd) throw new TypeError('undefined is not a function');
    return new Set<string>();
  };
  const lab = await startIdleLab({ power: { ...noPower, wanted } });

  isOdd = true;
  const odd = await lab.run('router');
  isOdd = false;
  const next = await lab.run('router');

  expect(odd.equipment[0]).toMatchObject({ result: 'failed', failure: 'internal' });
  expect(next.equipment[0]?.result).toBe('unchanged');
});

it('a start after a kill removes copies of databases, which are in the clear', async () => {
  const { stateDir } = await startLab({
    async prepare(folder) {
      await mkdir(join(folder, 'scratch/jumphost-rack1'), { recursive: true });
      await writeFile(join(folder, 'scratch/jumphost-rack1/0123.db'), 'SQLite format 3');
    },
  });

  await expect(stat(join(stateDir, 'scratch'))).rejects.toThrow('ENOENT');
});

it('a second service on the same state directory leaves alone what the first is reading', async () => {
  const lab = await startIdleLab();
  const scratch = join(lab.stateDir, 'scratch', 'router');
  await mkdir(scratch, { recursive: true });
  await writeFile(join(scratch, 'half'), 'half');

  const second = await startService(createRouterBackup({ openEveryMs: 20, power: noPower }), {
    rackFile: join(lab.dir, 'rack.yaml'),
    stateDir: lab.stateDir,
    port: 0,
    metricsPort: 0,
    host: '127.0.0.1',
    log: createLogger({ service: 'router-backup', level: 'silent' }),
  });
  onTestFinished(() => second.stop());
  const ready = await fetch(`http://127.0.0.1:${second.metricsPort}/readyz`);

  expect(ready.status).toBe(503);
  expect(await readdir(scratch)).toEqual(['half']);
  expect((await lab.run('router')).equipment[0]?.result).toBe('unchanged');
});

const noPower = {
  wanted: async () => new Set<string>(),
  unlessWanted: <T>(_: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) =>
    work(signal),
};

it('a version of gigabytes is not read into memory to be shown', async () => {
  const versions = new Versions({
    rack: () => smallRack(),
    models: new Map(),
    store: {
      get repository(): never {
        throw new Error('it was');
      },
    },
    jumphost: { archives: async () => Promise.reject(new Error('it is none')) },
    maskKey: () => new Uint8Array(32),
    texts: new Texts(),
  });
  const version = { id: 'a'.repeat(40), device: 'host', time: '2026-11-20T10:00:00Z' };

  await expect(versions.text({ ...version, size: 3e9 }, false)).rejects.toThrow(/too large/);
});
