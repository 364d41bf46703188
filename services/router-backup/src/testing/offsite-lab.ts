/** Off-site copies of a real history, with a journal that outlives them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSource, Repository, type Version } from '@skolo/backup';
import { Journal } from '@skolo/base/durable';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { type Clock, createLogger } from '@skolo/common';
import { fakeTime } from '@skolo/common/testing';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Rack } from '@skolo/rack';
import { expect, onTestFinished } from 'vitest';
import type { LocalVersions } from '../offsite/backend.ts';
import { OffsiteCopies, type OffsiteCopiesDeps } from '../offsite/copies.ts';
import { smallRack } from './small-rack.ts';

interface OffsiteLabOptions extends Partial<Pick<OffsiteCopiesDeps, 'openPlace' | 'backOff'>> {
  /** `OFFSITE` stands for the directory. */
  settings?: string;
}

export const jumphost = 'jumphost-rack4';

/** Made by age-keygen for these tests alone. */
export const recipient = 'age1sml852a9e9qjcm5eq2tsyh5yfu330uqhn7q5ap29wj6vldg9p5lqjnstcn';
export const identity = new Secret(
  'AGE-SECRET-KEY-17U8ZSYGVSC9L7UYP3XMPRM57U6N539TKMY0558LSU5R87VG9NNJSG66MCS',
);

/** What a person finds there, the newest first. */
export async function contentsIn(from: string, device: string): Promise<string[]> {
  const source = await openSource(from, { identities: [identity] });
  const contents: string[] = [];
  for (const version of await source.versions(device)) {
    contents.push(String(await source.content(version)));
  }
  await source.close();
  return contents;
}

export async function startOffsite(options: OffsiteLabOptions = {}): Promise<OffsiteLab> {
  const dir = await tempDir();
  await mkdir(join(dir, 'state'));
  await mkdir(join(dir, 'offsite'));
  const repository = await Repository.open(join(dir, 'state/repository'), { rack: 'rack4' });
  onTestFinished(() => repository.close());
  const lab = new OffsiteLab(dir, repository, options);
  await lab.startProcess();
  onTestFinished(() => lab.close());
  return lab;
}

export class OffsiteLab {
  readonly dir: string;
  readonly stateDir: string;
  /** A directory elsewhere. */
  readonly offsite: string;
  readonly repository: Repository;
  readonly time = fakeTime('2026-11-20T08:00:00Z');
  readonly degraded = new Map<string, string>();
  /** Parts whose versions cannot be listed. */
  readonly failures = new Set<'inHistory'>();
  readonly logged: Record<string, unknown>[] = [];
  journal: Journal | undefined;
  private started: OffsiteCopies | undefined;
  private rack: Rack;
  private count = 0;
  private readonly options: OffsiteLabOptions;
  private readonly archives: { version: Version; path: string }[] = [];
  private readonly lastSuccess = marks(this.time.clock);

  constructor(dir: string, repository: Repository, options: OffsiteLabOptions) {
    this.dir = dir;
    this.stateDir = join(dir, 'state');
    this.offsite = join(dir, 'offsite');
    this.repository = repository;
    this.options = options;
    this.rack = this.rackOf(options.settings ?? '{ upload: OFFSITE, encrypt: none }');
  }

  get copies(): OffsiteCopies {
    if (this.started === undefined) throw new Error('begin() comes first');
    return this.started;
  }

  /** A process that continues from its predecessor's state. */
  async startProcess(): Promise<void> {
    const { stateDir, time, options, degraded } = this;
    this.journal ??= await Journal.open(join(stateDir, 'journal'));
    this.started = new OffsiteCopies({
      rack: () => this.rack,
      stateDir,
      tables: {
        journal: () => this.journal,
        onTrouble: (error) => degraded.set('journal', String(error)),
        onWell: () => degraded.delete('journal'),
      },
      versions: this.versions(),
      lastSuccess: this.lastSuccess,
      emit(event) {
        if (event.type !== 'degraded') return;
        if (event.why === undefined) degraded.delete(event.what);
        else degraded.set(event.what, event.why);
      },
      clock: time.clock,
      log: createLogger({
        service: 'router-backup',
        level: 'debug',
        destination: { write: (line: string) => void this.logged.push(JSON.parse(line)) },
      }),
      pause: time.pause,
      backOff: options.backOff ?? { firstMs: 10_000, maxMs: 900_000, random: () => 0 },
      ...(options.openPlace && { openPlace: options.openPlace }),
    });
    this.copies.load(this.journal);
    await this.copies.start();
  }

  async close(): Promise<void> {
    await this.copies.close();
    await this.journal?.close();
  }

  /** Only stores a version: the process died before it could report it. */
  async storeOnly(device: string, content: string): Promise<Version> {
    const at = new Date(this.time.clock.now() + this.count).toISOString();
    this.count += 1;
    const run = `run-${this.count}`;
    const about = { rack: 'rack4', model: 'frr', run, time: at, by: 'schedule' };
    const bytes = Buffer.from(content);
    return await this.repository.commit({ device, content: { bytes }, about });
  }

  /** Stores a version in the history, and reports it to the copies. */
  async store(device: string, content: string): Promise<Version> {
    const version = await this.storeOnly(device, content);
    this.copies.add(version);
    return version;
  }

  /** Stores a version, and waits until it is off site. */
  async copied(device: string, content: string): Promise<Version> {
    const version = await this.store(device, content);
    await this.idle();
    return version;
  }

  /** Keeps an archive of the jumphost, and reports it. */
  async archive(content: string, about: Pick<Version, 'isPartial'> = {}): Promise<Version> {
    const { archives } = this;
    const id = `archive-${archives.length}`;
    const path = join(this.dir, `${id}.tar.gz.age`);
    await writeFile(path, content);
    const sha1 = String(archives.length).padStart(40, '0');
    const at = new Date(this.time.clock.now()).toISOString();
    const version = { id, device: jumphost, time: at, sha1, model: 'jumphost', ...about };
    archives.unshift({ version, path });
    this.copies.add(version);
    return version;
  }

  /** Settings of `services.router-backup`, in flow style; active when fulfilled. */
  async settings(yaml: string): Promise<void> {
    await this.change(() => this.rackOf(yaml));
  }

  /** Including what rack.yaml cannot express. */
  async change(edit: (rack: Rack) => Rack): Promise<void> {
    this.rack = edit(this.rack);
    await this.copies.follow();
  }

  /** Another process that continues from this one's state. */
  async restart(): Promise<void> {
    await this.close();
    this.journal = undefined;
    await this.startProcess();
  }

  /** kill -9: nothing is closed; then another process. */
  async kill(): Promise<void> {
    // Its journal is gone, so it cannot close it.
    const { journal } = this;
    this.journal = undefined;
    await this.copies.close();
    await journal?.close();
    await this.startProcess();
  }

  /** The queue is empty, and nothing is degraded. */
  async idle(): Promise<void> {
    await expect
      .poll(() => this.copies.status().map(({ queued, problem }) => problem ?? queued))
      .toEqual(this.copies.status().map(() => 0));
    await this.settled();
  }

  /** Work in progress has ended, successfully or not. */
  async settled(): Promise<void> {
    await expect
      .poll(() => this.time.pauses().length)
      .toBeGreaterThanOrEqual(this.copies.status().length);
  }

  private rackOf(yaml: string): Rack {
    return smallRack({ settings: yaml.replaceAll('OFFSITE', this.offsite), dir: this.dir });
  }

  private versions(): LocalVersions {
    const { repository, archives, failures } = this;
    return {
      isArchived: (device) => device === jumphost,
      async inHistory() {
        if (failures.has('inHistory')) throw new BackupError('storage', 'the history is damaged');
        return await repository.devices();
      },
      inArchives: async () => (archives[0] ? [jumphost] : []),
      list: async (device, limit) =>
        device === jumphost
          ? archives.map(({ version }) => version).slice(0, limit)
          : await repository.versions(device, limit === undefined ? {} : { limit }),
      contentToFile: (version, file) => repository.contentToFile(version, file),
      archive: async ({ id }) => archives.find(({ version }) => version.id === id)?.path,
    };
  }
}

/** As LastSuccess, but in memory. */
function marks(clock: Clock) {
  const times = new Map<string, number>();
  return {
    mark: (name: string) => void times.set(name, clock.now()),
    get: (name: string) => times.get(name),
  };
}
