/**
 * The jumphost's archives in the rack: how many are kept, which are deleted, and when the next one must contain the large machine
 * history (Sundays). Files: `archives/<jumphost>/<time>-<sha>.tar.gz.age`, with the facts about each in a `.json` of the same name.
 * Without the identity, an archive's bytes reveal nothing, so its digest shows whether the content has changed.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Version } from '@skolo/backup';
import { errorText, parseJson, sha256OfFile } from '@skolo/base';
import { makeFolder, readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { z } from 'zod';
import { JumphostArchive } from './archive.ts';

/** The `.json` of an archive. */
const Facts = JumphostArchive.omit({ file: true }).extend({
  device: z.string(),
  /** When it was made. */
  time: z.iso.datetime(),
  run: z.string().optional(),
  by: z.string().optional(),
  reason: z.string().optional(),
});
type Facts = z.output<typeof Facts>;

const aDay = 86_400_000;
const suffix = '.tar.gz.age';
const fileName = /^(?<id>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[0-9a-f]{12})(?:\.tar\.gz\.age|\.json)$/;
/** Paths that a summary names. */
const mostNamed = 3;

/** All methods throw BackupError. */
export class Archives {
  /** Where archives are created, so that each is moved into place in one step. */
  readonly folder: string;
  readonly device: string;
  private readonly facts = new Map<string, Facts>();

  private constructor(folder: string, device: string) {
    this.folder = folder;
    this.device = device;
  }

  /**
   * Creates the directory if it is missing, and removes files that a killed process left.
   *
   * @param parent `<state directory>/archives`
   */
  static async open(parent: string, device: string): Promise<Archives> {
    const archives = new Archives(join(parent, device), device);
    await storing(archives.folder, () => archives.load());
    return archives;
  }

  /** Newest first. Size and SHA-1 are those of the tar in it; the shown size is that of the encrypted file. */
  versions(_device = this.device, { limit }: { limit?: number } = {}): Version[] {
    return [...this.facts]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .slice(0, limit)
      .map(([id, each]) => asVersion(id, each));
  }

  newest(): Version | undefined {
    return this.versions()[0];
  }

  count(): number {
    return this.facts.size;
  }

  /** The encrypted archive. */
  async content({ id }: Version): Promise<Buffer> {
    return await storing(this.folder, () => readFile(this.file(id)));
  }

  /**
   * Whether the next archive must contain the machine history: on Sundays, or if the newest archive with it is old, from the future, or
   * would not be among the retained ones. It does not depend on Sundays alone, because the jumphost may be off, or its clock wrong.
   *
   * @param retained the number of archives that are kept, also off site
   */
  isHistoryDue(
    now: number,
    { timezone, retained }: { timezone: string; retained: number },
  ): boolean {
    const newestFirst = this.versions();
    const newer = newestFirst.findIndex(({ isPartial }) => !isPartial);
    const age = now - Date.parse(newestFirst[newer]?.time ?? '');
    const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: timezone });
    // Half a day less, because schedules vary.
    const days = weekday.format(now) === 'Sun' ? 0.5 : 6.5;
    return !(age >= 0 && age < days * aDay && newer < retained - 1);
  }

  file(id: string): string {
    if (this.facts.has(id)) return join(this.folder, id + suffix);
    throw new BackupError('not-found', `${this.device} has no archive ${basename(id)}`);
  }

  /**
   * Stores an archive, after reading it back. If the content equals that of the newest archive, the new one is removed instead. An archive
   * outside of `folder` is on another volume, and is copied first.
   */
  async add(
    { file, ...archive }: JumphostArchive,
    about: Pick<Facts, 'time' | 'run' | 'by' | 'reason'>,
  ): Promise<{ version: Version; changed: boolean }> {
    const newest = this.newest();
    if (newest !== undefined && this.facts.get(newest.id)?.digest === archive.digest) {
      await rm(file, { force: true }).catch(() => undefined);
      return { version: newest, changed: false };
    }
    const time = new Date(about.time).toISOString();
    const facts: Facts = { device: this.device, ...about, time, ...archive };
    const id = idFor(facts, newest);
    await storing(this.folder, async () => {
      const own = dirname(file) === this.folder ? file : join(this.folder, `${id}.tmp`);
      if (own !== file) {
        const target = createWriteStream(own, { mode: 0o600, flush: true });
        await pipeline(createReadStream(file), target);
        await rm(file, { force: true });
      }
      await verify(own, archive);
      // The facts first: an archive without them would count as unknown.
      await writeFileAtomic(join(this.folder, `${id}.json`), `${JSON.stringify(facts)}\n`);
      await rename(own, join(this.folder, id + suffix));
      await syncFolder(this.folder);
    });
    this.facts.set(id, facts);
    return { version: asVersion(id, facts), changed: true };
  }

  /** Removes all but the newest `count`; at least one stays. */
  async retain(count: number): Promise<void> {
    for (const { id } of this.versions().slice(Math.max(1, count))) {
      await storing(this.folder, async () => {
        for (const end of [suffix, '.json']) await rm(join(this.folder, id + end), { force: true });
      });
      this.facts.delete(id);
    }
  }

  private async load(): Promise<void> {
    await makeFolder(this.folder);
    await syncFolder(dirname(this.folder));
    await syncFolder(dirname(dirname(this.folder)));
    const names = new Set(await readdir(this.folder));
    for (const name of names) {
      const id = fileName.exec(name)?.groups?.id;
      const isArchive = id !== undefined && name.endsWith(suffix);
      if (isArchive) this.facts.set(id, await this.read(id));
      const isLeft = id === undefined ? name.endsWith('.tmp') : !names.has(id + suffix);
      if (isLeft) await rm(join(this.folder, name), { force: true });
    }
  }

  /** Without its facts it is still an archive, and differs from all others. */
  private async read(id: string): Promise<Facts> {
    const text = await readFileIfExists(join(this.folder, `${id}.json`));
    const known = Facts.safeParse(parseJson(text ?? ''));
    if (known.success) return known.data;
    const { size } = await stat(join(this.folder, id + suffix));
    const unknown = {
      files: 0,
      history: false,
      left: [],
      sha256: '',
      digest: '',
      plain: { size: 0, sha1: '' },
    };
    return { device: this.device, time: timeOf(id), size, ...unknown };
  }
}

function asVersion(id: string, facts: Facts): Version {
  const { device, time, size: shownSize, plain, run, by, reason, files, history, left } = facts;
  const paths = left.slice(0, mostNamed).map(({ path }) => path);
  const named = [...paths, ...(left.length > mostNamed ? ['…'] : [])].join(', ');
  const without = left.length === 0 ? '' : `, ${left.length} omitted (${named})`;
  const partial = history ? '' : ', without the machine history';
  return {
    id,
    device,
    time,
    model: 'jumphost',
    shownSize,
    ...(plain.sha1 !== '' && {
      ...plain,
      summary: `${device}: ${files} files${without}${partial}`,
    }),
    ...(!history && { isPartial: true as const }),
    run,
    by,
    reason,
  };
}

/** IDs sort by time, even after the clock was set back. */
function idFor({ time, sha256 }: Facts, newest: Version | undefined): string {
  const after = newest === undefined ? 0 : Date.parse(timeOf(newest.id)) + 1000;
  const at = new Date(Math.max(Date.parse(time), after)).toISOString();
  return `${at.slice(0, 19).replaceAll(':', '-')}Z-${sha256.slice(0, 12)}`;
}

/** `2026-11-20T03-15-00Z-…` */
function timeOf(id: string): string {
  return id.replace(/^(.{10}T\d\d)-(\d\d)-(\d\d)Z-.*$/, '$1:$2:$3.000Z');
}

async function verify(file: string, expected: { size: number; sha256: string }): Promise<void> {
  const { size } = await stat(file);
  if (size === expected.size && (await sha256OfFile(file)) === expected.sha256) return;
  throw new BackupError(
    'damaged',
    `${file} differs from what was written; the jumphost's disk may be failing`,
  );
}

async function storing<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError('storage', `${folder}: ${errorText(error)}`, { cause: error });
  }
}
