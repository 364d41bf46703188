/**
 * Archives of the jumphost that are kept: `archives/<jumphost>/<time>-<sha>.tar.gz.age`, and what is known of each beside it as
 * `.json`. The bytes of an archive say nothing without the identity, so what is in it is told by its digest.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Version } from '@skolo/backup';
import { errorText } from '@skolo/common';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { BackupError } from '@skolo/models/configuration';
import { z } from 'zod';
import type { JumphostArchive } from './archive.ts';

/** What is kept beside an archive. */
const Kept = z.object({
  device: z.string(),
  /** RFC 3339, when it was made. */
  time: z.iso.datetime(),
  size: z.int().min(0),
  sha256: z.string(),
  digest: z.string(),
  plain: z.object({ size: z.int().min(0), sha1: z.string() }),
  files: z.int(),
  left: z.array(z.object({ path: z.string(), why: z.string() })),
  run: z.string().optional(),
  by: z.string().optional(),
  reason: z.string().optional(),
});
type Kept = z.output<typeof Kept>;

export interface ArchiveAbout {
  /** RFC 3339. */
  time: string;
  run?: string;
  by?: string;
  reason?: string;
}

export interface KeptFile {
  path: string;
  /** Of the file, as all here. */
  size: number;
  sha256: string;
}

const suffix = '.tar.gz.age';
const fileName = /^(?<id>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[0-9a-f]{12})(?:\.tar\.gz\.age|\.json)$/;

export class Archives {
  /** Where archives are to be made, so that they can be put in their place in one step. */
  readonly folder: string;
  readonly device: string;
  private readonly kept = new Map<string, Kept>();

  private constructor(folder: string, device: string) {
    this.folder = folder;
    this.device = device;
  }

  /**
   * Makes the folder where it is missing, and removes what a process that died has left.
   *
   * @param parent `<state directory>/archives`
   * @throws BackupError `storage`
   */
  static async open(parent: string, device: string): Promise<Archives> {
    const archives = new Archives(join(parent, device), device);
    await inWords(archives.folder, () => archives.load());
    return archives;
  }

  /** The newest first. Size and SHA-1 are those of the tar in it, as off site. */
  versions(): Version[] {
    return [...this.kept.keys()]
      .sort()
      .reverse()
      .map((id) => this.version(id));
  }

  newest(): Version | undefined {
    return this.versions()[0];
  }

  /** How many. */
  get count(): number {
    return this.kept.size;
  }

  /** @throws BackupError `not-found` */
  file(id: string): KeptFile {
    const { size, sha256 } = this.about(id);
    return { path: join(this.folder, id + suffix), size, sha256 };
  }

  /** What was not in it. @throws BackupError `not-found` */
  left(id: string): Kept['left'] {
    return this.about(id).left;
  }

  /**
   * Takes over an archive, made in `folder`: it is read back, and on the disk once this is fulfilled. Where nothing has changed
   * since the newest one, that one stays and this one goes.
   *
   * @throws BackupError `damaged`: the disk does not give back what was written. `storage`
   */
  async add(
    archive: JumphostArchive,
    about: ArchiveAbout,
  ): Promise<{ version: Version; changed: boolean }> {
    const newest = this.newest();
    if (newest !== undefined && this.about(newest.id).digest === archive.digest) {
      await rm(archive.file, { force: true }).catch(() => undefined);
      return { version: newest, changed: false };
    }
    const { file, ...facts } = archive;
    const { time, ...rest } = about;
    const kept: Kept = { device: this.device, time: utc(time), ...rest, ...facts };
    const id = this.idFor(kept);
    await inWords(this.folder, async () => {
      await verify(file, archive);
      // First what it is, then the archive: one without the other is never believed to be whole.
      await writeFileAtomic(join(this.folder, `${id}.json`), `${JSON.stringify(kept)}\n`);
      await rename(file, join(this.folder, id + suffix));
      await syncFolder(this.folder);
    });
    this.kept.set(id, kept);
    return { version: this.version(id), changed: true };
  }

  /**
   * Reads an archive again.
   *
   * @throws BackupError `damaged`, `storage`
   */
  async check(id: string): Promise<void> {
    const { path, ...expected } = this.file(id);
    await inWords(this.folder, () => verify(path, expected));
  }

  /** Removes all but the newest so many; at least one stays. Gives the ids. @throws BackupError `storage` */
  async retain(count: number): Promise<string[]> {
    const old = this.versions().slice(Math.max(1, count));
    for (const { id } of old) {
      await inWords(this.folder, async () => {
        await rm(join(this.folder, id + suffix), { force: true });
        await rm(join(this.folder, `${id}.json`), { force: true });
      });
      this.kept.delete(id);
    }
    return old.map(({ id }) => id);
  }

  private async load(): Promise<void> {
    await makeFolder(this.folder);
    await syncFolder(dirname(this.folder));
    await syncFolder(dirname(dirname(this.folder)));
    const names = new Set(await readdir(this.folder));
    for (const name of names) {
      const id = fileName.exec(name)?.groups?.id;
      if (id === undefined) {
        if (name.endsWith('.tmp')) await rm(join(this.folder, name), { force: true });
      } else if (name.endsWith(suffix)) {
        const kept = await this.read(id, name);
        if (kept) this.kept.set(id, kept);
      } else if (!names.has(id + suffix)) await rm(join(this.folder, name), { force: true });
    }
  }

  /** Where what is known of it was lost, it is still an archive, and another one from all others. */
  private async read(id: string, name: string): Promise<Kept | undefined> {
    const text = await readFileIfExists(join(this.folder, `${id}.json`));
    const known = Kept.safeParse(parse(text ?? ''));
    if (known.success) return known.data;
    const path = join(this.folder, name);
    const { size } = await stat(path);
    const time = timeOf(id);
    const sha256 = await hashOf(path);
    const unknown = { files: 0, left: [], digest: '', plain: { size: 0, sha1: '' } };
    return { device: this.device, time, size, sha256, ...unknown };
  }

  /** A clock that went back must not put the newest behind others. */
  private idFor({ time, sha256 }: Kept): string {
    const newest = this.newest();
    const after = newest === undefined ? 0 : Date.parse(timeOf(newest.id)) + 1000;
    const at = new Date(Math.max(Date.parse(time), after)).toISOString();
    return `${at.slice(0, 19).replaceAll(':', '-')}Z-${sha256.slice(0, 12)}`;
  }

  private version(id: string): Version {
    const { device, time, plain, run, by, reason, files, left } = this.about(id);
    const without = left.length === 0 ? '' : `, ${left.length} left out (${namesOf(left)})`;
    return {
      id,
      device,
      time,
      model: 'jumphost',
      ...(plain.sha1 !== '' && {
        size: plain.size,
        sha1: plain.sha1,
        summary: `${device}: ${files} files${without}`,
      }),
      ...(run !== undefined && { run }),
      ...(by !== undefined && { by }),
      ...(reason !== undefined && { reason }),
    };
  }

  private about(id: string): Kept {
    const kept = this.kept.get(id);
    if (kept !== undefined) return kept;
    throw new BackupError('not-found', `${this.device} has no archive ${basename(id)}`);
  }
}

/** `2026-11-20T03-15-00Z-…` */
function timeOf(id: string): string {
  return id.replace(/^(.{10}T\d\d)-(\d\d)-(\d\d)Z-.*$/, '$1:$2:$3.000Z');
}

async function verify(
  file: string,
  { size, sha256 }: { size: number; sha256: string },
): Promise<void> {
  const { size: found } = await stat(file);
  if (found === size && (await hashOf(file)) === sha256) return;
  throw new BackupError(
    'damaged',
    `${file} is not what was written; the disk of the jumphost may be failing`,
  );
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function inWords<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError('storage', `${folder}: ${errorText(error)}`, { cause: error });
  }
}

function utc(time: string): string {
  return new Date(time).toISOString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first few of what is not in it. */
function namesOf(left: Kept['left']): string {
  const first = left.slice(0, 3).map(({ path }) => path);
  return [...first, ...(left.length > first.length ? ['…'] : [])].join(', ');
}
