/** The repository breaks, or goes, under a store that is open: devices ask for it at the same time. */
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { createLogger, systemClock } from '@skolo/common';
import { BackupError } from '@skolo/equipment/models/configuration';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Store } from './store.ts';

const about = {
  rack: 'rack1',
  model: 'frr',
  run: 'run-1',
  time: '2026-11-20T10:00:00Z',
  by: 'ann',
};
const damage = new BackupError('damaged', 'it is rotten');

async function open(onBegin = () => {}) {
  const stateDir = await tempDir();
  const stop = new AbortController();
  const troubles = new Map<string, string>();
  let [well, recorded, journalIsDown] = [0, 0, false];
  const store = new Store({
    stateDir,
    rack: () => ({ name: 'rack1' }),
    log: createLogger({ service: 'router-backup', level: 'silent' }),
    emit(event) {
      if (event.type === 'history-writable') well += 1;
      if (event.type !== 'degraded') return;
      if (event.why === undefined) troubles.delete(event.what);
      else troubles.set(event.what, event.why);
    },
    clock: systemClock,
    signal: stop.signal,
  });
  await store.start({
    beforeNew: async () => {
      recorded += 1;
      onBegin();
      if (journalIsDown) throw new Error('the journal is not open');
    },
    review: async () => undefined,
  });
  const close = async () => {
    stop.abort();
    await store.close();
  };
  onTestFinished(close);
  // What is done at the start is over.
  await store.failed(damage);
  const commit = (device: string, text = device) =>
    store.repository.commit({ device, content: { bytes: Buffer.from(text) }, about });
  return {
    stateDir,
    store,
    close,
    troubles,
    commit,
    well: () => well,
    recorded: () => recorded,
    journal: (isDown: boolean) => {
      journalIsDown = isDown;
    },
  };
}

async function rot(stateDir: string) {
  const packs = join(stateDir, 'repository', 'objects', 'pack');
  for (const file of await readdir(packs)) {
    await chmod(join(packs, file), 0o600);
    await writeFile(join(packs, file), 'rotten');
  }
}

const broken = async (stateDir: string) =>
  (await readdir(stateDir)).filter((name) => name.startsWith('repository.broken-'));

describe('a store', () => {
  it('sets a broken history aside once, however many find it broken', async () => {
    const { stateDir, store, commit, troubles, well } = await open();
    await commit('router');
    await rot(stateDir);

    await Promise.all([store.failed(damage), store.failed(damage), store.failed(damage)]);
    await commit('router');

    expect(await broken(stateDir)).toHaveLength(1);
    expect([...troubles.keys()]).toEqual(['repository set aside']);
    expect(well()).toBe(1);
    expect(await store.repository.count('router')).toBe(1);
  });

  it('goes on trying where a new history cannot be begun', async () => {
    const { stateDir, store, commit, troubles } = await open();
    await commit('router');
    await rot(stateDir);
    const path = process.env.PATH;
    const looked = store.failed(damage);
    await expect.poll(() => store.isSound).toBe(false);
    process.env.PATH = '/nonexistent';
    await looked;
    process.env.PATH = path;

    await store.maintain();
    expect(store.isSound).toBe(true);
    await commit('router');

    expect(troubles.has('repository')).toBe(false);
  });

  it('begins a new history after the previous one was moved away', async () => {
    const { stateDir, store, commit, well } = await open();
    await commit('router');
    await rename(join(stateDir, 'repository'), join(stateDir, 'elsewhere'));

    await expect(commit('router', 'another')).rejects.toThrow();
    await store.failed(new BackupError('storage', 'the directory does not exist'));
    await commit('router', 'another');

    expect(await store.repository.count('router')).toBe(1);
    expect(well()).toBe(1);
    expect(await broken(stateDir)).toEqual([]);
  });

  it('notices by itself that its history was deleted, and begins none before that is recorded', async () => {
    const { stateDir, store, commit, troubles, recorded, journal } = await open();
    await commit('router');
    const before = recorded();
    journal(true);
    await rm(join(stateDir, 'repository'), { recursive: true });

    await store.maintain();

    expect(store.isSound).toBe(false);
    expect(recorded()).toBeGreaterThan(before);
    expect(troubles.get('repository')).toBe('the journal is not open');
    await expect(stat(join(stateDir, 'repository'))).rejects.toMatchObject({ code: 'ENOENT' });
    journal(false);
    await store.maintain();
    expect(store.isSound).toBe(true);
    expect(troubles.size).toBe(0);
  });

  it('begins no history after it was closed', async () => {
    let begins = Promise.withResolvers<void>();
    const { stateDir, store, close, commit } = await open(() => begins.resolve());
    await commit('router');
    await rm(join(stateDir, 'repository'), { recursive: true });
    begins = Promise.withResolvers<void>();
    const look = store.maintain();
    await begins.promise;

    await close();
    await rm(join(stateDir, 'repository'), { recursive: true, force: true });
    await look;

    expect(await readdir(stateDir)).toEqual([]);
  });

  it.each([
    ['HEAD is empty', 'HEAD', ''],
    ['the branch is zeros', 'refs/heads/main', '\0'.repeat(41)],
  ])('keeps its history where git can repair it: %s', async (_what, file, content) => {
    const { stateDir, store, commit, troubles } = await open();
    const version = await commit('router');
    await writeFile(join(stateDir, 'repository', file), content);

    await store.failed(damage);

    expect(await store.repository.versions('router')).toEqual([version]);
    expect(await broken(stateDir)).toEqual([]);
    expect(troubles.size).toBe(0);
  });

  it('sets a history aside in which HEAD is a directory', async () => {
    const { stateDir, store, commit } = await open();
    await commit('router');
    await rm(join(stateDir, 'repository', 'HEAD'));
    await mkdir(join(stateDir, 'repository', 'HEAD'));

    await store.failed(damage);
    await commit('router');

    expect(await broken(stateDir)).toHaveLength(1);
    expect(await store.repository.count('router')).toBe(1);
  });

  it('keeps a repaired history that is not checked to the end, because the service stops', async () => {
    const { stateDir, store, close, commit } = await open();
    await commit('router');
    const head = join(stateDir, 'repository', 'HEAD');
    await writeFile(head, '');

    const repairing = store.failed(damage);
    await expect.poll(() => readFile(head, 'utf8'), { interval: 1 }).not.toBe('');
    await close();
    await repairing;

    expect(await broken(stateDir)).toEqual([]);
  });

  it('keeps a history that can be repaired while git cannot run, and repairs it later', async () => {
    const { stateDir, store, commit, troubles } = await open();
    const version = await commit('router');
    const packs = join(stateDir, 'repository', 'objects', 'pack');
    for (const name of await readdir(packs)) {
      if (name.endsWith('.idx')) await rm(join(packs, name));
    }
    const looked = store.failed(damage);
    await expect.poll(() => store.isSound).toBe(false);
    vi.stubEnv('PATH', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    await looked;
    expect(await broken(stateDir)).toEqual([]);
    expect(troubles.get('repository')).toMatch(/git/);
    vi.unstubAllEnvs();

    await store.maintain();

    expect(await store.repository.versions('router')).toEqual([version]);
    expect(await broken(stateDir)).toEqual([]);
    expect(troubles.size).toBe(0);
  });
});
