/** Uploads of a real history, with a journal that outlives them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Repository, type Version } from '@skolo/backup';
import { type Clock, createLogger } from '@skolo/common';
import { Journal } from '@skolo/durable';
import type { Rack } from '@skolo/rack';
import { expect, onTestFinished } from 'vitest';
import type { LocalVersions } from '../offsite/backend.ts';
import { Uploads, type UploadsDeps } from '../offsite/copies.ts';
import { type FakeTime, fakeTime } from './fake-time.ts';
import { smallRack } from './small-rack.ts';

export interface UploadsLab {
  dir: string;
  stateDir: string;
  /** A directory that is somewhere else. */
  away: string;
  repository: Repository;
  time: FakeTime;
  uploads: Uploads;
  journal: Journal | undefined;
  degraded: Map<string, string>;
  logged: Record<string, unknown>[];
  /** Stores a version in the history, and says so to the uploads. */
  store(device: string, content: string): Promise<Version>;
  /** Only stores it: the process died before it could say so. */
  storeOnly(device: string, content: string): Promise<Version>;
  /** Keeps an archive of the jumphost, and says so. */
  archive(content: string): Promise<Version>;
  /** Of `services.router-backup`, in flow style; in force when it is fulfilled. */
  settings(yaml: string): Promise<void>;
  /** What rack.yaml cannot say, too. */
  change(edit: (rack: Rack) => Rack): Promise<void>;
  /** Another process, on what this one left. */
  restart(): Promise<void>;
  /** kill -9: nothing is closed; then another process. */
  kill(): Promise<void>;
  /** Nothing waits, and nothing is wrong. */
  idle(): Promise<void>;
  /** What is under way has ended, well or not. */
  settled(): Promise<void>;
}

interface UploadsLabOptions extends Partial<Pick<UploadsDeps, 'openPlace' | 'backOff'>> {
  /** `AWAY` stands for the directory. */
  settings?: string;
}

export const jumphost = 'jumphost-rack4';

export async function startUploads(options: UploadsLabOptions = {}): Promise<UploadsLab> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-uploads-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const stateDir = join(dir, 'state');
  const away = join(dir, 'away');
  await mkdir(stateDir);
  await mkdir(away);
  const rackOf = (yaml: string): Rack =>
    smallRack({ settings: yaml.replaceAll('AWAY', away), dir });
  let rack = rackOf(options.settings ?? '{ upload: AWAY, encrypt: none }');
  const repository = await Repository.open(join(stateDir, 'repository'), { rack: 'rack4' });
  onTestFinished(() => repository.close());
  const time = fakeTime('2026-11-20T08:00:00Z');
  const archives: { version: Version; path: string }[] = [];
  const versions: LocalVersions = {
    isArchived: (device) => device === jumphost,
    inHistory: () => repository.devices(),
    inArchives: async () => (archives[0] ? [jumphost] : []),
    list: async (device, limit) =>
      device === jumphost
        ? archives.map(({ version }) => version).slice(0, limit)
        : await repository.versions(device, limit === undefined ? {} : { limit }),
    contentToFile: (version, file) => repository.contentToFile(version, file),
    archive: async ({ id }) => archives.find(({ version }) => version.id === id)?.path,
  };
  const degraded = new Map<string, string>();
  const lastSuccess = marks(time.clock);
  const logged: Record<string, unknown>[] = [];
  const log = createLogger({
    service: 'router-backup',
    level: 'debug',
    destination: { write: (line: string) => void logged.push(JSON.parse(line)) },
  });

  async function begin(): Promise<void> {
    lab.journal ??= await Journal.open(join(stateDir, 'journal'));
    lab.uploads = new Uploads({
      rack: () => rack,
      stateDir,
      tables: {
        journal: () => lab.journal,
        onTrouble: (error) => degraded.set('journal', String(error)),
        onWell: () => degraded.delete('journal'),
      },
      versions,
      lastSuccess,
      emit(event) {
        if (event.type !== 'degraded') return;
        if (event.why === undefined) degraded.delete(event.what);
        else degraded.set(event.what, event.why);
      },
      clock: time.clock,
      log,
      pause: time.pause,
      backOff: options.backOff ?? { firstMs: 10_000, maxMs: 900_000, random: () => 0 },
      ...(options.openPlace && { openPlace: options.openPlace }),
    });
    lab.uploads.load(lab.journal);
    await lab.uploads.start();
  }

  let count = 0;
  const lab: UploadsLab = {
    dir,
    stateDir,
    away,
    repository,
    time,
    uploads: undefined as never,
    journal: undefined,
    degraded,
    logged,
    async storeOnly(device, content) {
      const at = new Date(time.clock.now() + count).toISOString();
      count += 1;
      const about = { rack: 'rack4', model: 'frr', run: `run-${count}`, time: at, by: 'schedule' };
      return await repository.commit({ device, content: { bytes: Buffer.from(content) }, about });
    },
    async store(device, content) {
      const version = await lab.storeOnly(device, content);
      lab.uploads.add(version);
      return version;
    },
    async archive(content) {
      const id = `archive-${archives.length}`;
      const path = join(dir, `${id}.tar.gz.age`);
      await writeFile(path, content);
      const sha1 = String(archives.length).padStart(40, '0');
      const at = new Date(time.clock.now()).toISOString();
      const version = { id, device: jumphost, time: at, sha1, model: 'jumphost' };
      archives.unshift({ version, path });
      lab.uploads.add(version);
      return version;
    },
    async settings(yaml) {
      rack = rackOf(yaml);
      await lab.uploads.follow();
    },
    async change(edit) {
      rack = edit(rack);
      await lab.uploads.follow();
    },
    async restart() {
      await lab.uploads.close();
      await lab.journal?.close();
      lab.journal = undefined;
      await begin();
    },
    async kill() {
      // It has no journal any more to say goodbye to.
      const { journal, uploads } = lab;
      lab.journal = undefined;
      await uploads.close();
      await journal?.close();
      await begin();
    },
    async idle() {
      await expect
        .poll(() => lab.uploads.status().map(({ queued, problem }) => problem ?? queued), {
          timeout: 20_000,
        })
        .toEqual(lab.uploads.status().map(() => 0));
      await lab.settled();
    },
    async settled() {
      await expect.poll(() => time.pauses).toBeGreaterThanOrEqual(lab.uploads.status().length);
    },
  };
  await begin();
  onTestFinished(async () => {
    await lab.uploads.close();
    await lab.journal?.close();
  });
  return lab;
}

/** As LastSuccess, but in memory. */
function marks(clock: Clock) {
  const times = new Map<string, number>();
  return {
    mark: (name: string) => void times.set(name, clock.now()),
    get: (name: string) => times.get(name),
  };
}
