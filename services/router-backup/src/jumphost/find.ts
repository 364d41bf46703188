/**
 * Finds the files of the jumphost that are archived, below `jumphost.paths` of rack.yaml (schema/settings/router-backup.ts): directories,
 * journals and databases, and what is omitted besides `neverArchived`.
 */
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCode, errorText } from '@skolo/base';
import { isLiveFile, isLiveFolder, markOf, openPlainFile } from '@skolo/base/durable';
import { z } from 'zod';
import { isDatabase } from './sqlite.ts';

/** One thing to archive. A journal is a directory of files that belong together; a database includes its log. */
export interface Found {
  kind: 'file' | 'folder' | 'link' | 'journal' | 'database';
  path: string;
  /** The path with links resolved. */
  real: string;
  /** The path in the archive, without the leading slash. */
  name: string;
  mode: number;
  uid: number;
  gid: number;
  mtime: Date;
  /** A link's target, as written. */
  target?: string | undefined;
}

/** A path that is not in the archive, with the reason. */
export const Left = z.object({ path: z.string(), why: z.string() });
export type Left = z.output<typeof Left>;

export interface FindOptions {
  /** Absolute; they may be links. Links below them are not followed. */
  paths: readonly string[];
  /** Files and directories that are omitted without a report. */
  exclude: readonly string[];
  signal: AbortSignal;
}

const mostFound = 200_000;
/** Temp files of atomic writes: each is either renamed by now, or useless. */
const tempFile = /^\..+\.\d+-\d+-[0-9a-f]{12}\.tmp$/;

/** Sorted by name. @throws Error There is far too much, or the signal's reason. */
export async function findAll(options: FindOptions): Promise<{ found: Found[]; left: Left[] }> {
  const { signal } = options;
  // With and without links.
  const excluded = options.exclude.map(async (path) => {
    const absolute = resolve(path);
    return [absolute, await realpath(absolute).catch(() => absolute)];
  });
  const search = new Search(signal, new Set((await Promise.all(excluded)).flat()));
  for (const path of options.paths) await search.top(resolve(path));
  return search.result();
}

class Search {
  private readonly found = new Map<string, Found>();
  private readonly left = new Map<string, Left>();
  private readonly signal: AbortSignal;
  private readonly excluded: ReadonlySet<string>;

  constructor(signal: AbortSignal, excluded: ReadonlySet<string>) {
    this.signal = signal;
    this.excluded = excluded;
  }

  /** A path in rack.yaml: links are followed, because files of a ConfigMap are links. */
  async top(path: string): Promise<void> {
    try {
      await this.visit(path, await realpath(path), await stat(path));
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof TooMuch) throw error;
      this.leave(path, whyNot(error));
    }
  }

  result(): { found: Found[]; left: Left[] } {
    const all = [...this.found.values()];
    const databases = new Set(
      all.filter(({ kind }) => kind === 'database').map(({ path }) => path),
    );
    const isOwn = ({ path }: Found) => databases.has(path.replace(/-(?:wal|shm|journal)$/, ''));
    const found = all.filter((each) => each.kind !== 'file' || !isOwn(each));
    return {
      found: sorted(found, ({ name }) => name),
      left: sorted(this.left.values(), ({ path }) => path),
    };
  }

  /** @param real the path with links resolved */
  private async visit(path: string, real: string, stats: Stats): Promise<void> {
    this.signal.throwIfAborted();
    if (this.excluded.has(path) || this.excluded.has(real)) return;
    if (stats.isDirectory()) await this.folder(path, real, stats);
    else if (stats.isFile()) await this.file(path, real, stats);
    else if (stats.isSymbolicLink()) {
      this.add(path, real, 'link', stats, await readlink(path));
    } else this.leave(path, `it is ${kindOf(stats)}, which has no content`);
  }

  private async folder(path: string, real: string, stats: Stats): Promise<void> {
    const names = await readdir(path);
    if (names.includes('member') && path.endsWith('/etcd')) {
      this.leave(
        path,
        'the etcd database of a running k3s cannot be copied; back up the snapshots next to it instead',
      );
      return;
    }
    this.add(path, real, 'folder', stats);
    const isJournal = isLiveFolder(names);
    if (isJournal) this.add(path, real, 'journal', stats);
    for (const name of names) {
      if (tempFile.test(name) || (isJournal && isLiveFile(name))) continue;
      // It is copied later than the file that it belongs to, and would be newer.
      if (names.some((other) => markOf(other) === name)) continue;
      await this.below(join(path, name), join(real, name));
    }
  }

  private async below(path: string, real: string): Promise<void> {
    try {
      await this.visit(path, real, await lstat(path));
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof TooMuch) throw error;
      // A file that was removed meanwhile is not needed.
      if (errorCode(error) !== 'ENOENT') this.leave(path, whyNot(error));
    }
  }

  private async file(path: string, real: string, stats: Stats): Promise<void> {
    await using handle = await openPlainFile(real);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    const kind = isDatabase(buffer.subarray(0, bytesRead)) ? 'database' : 'file';
    this.add(path, real, kind, stats);
  }

  private add(
    path: string,
    real: string,
    kind: Found['kind'],
    stats: Stats,
    target?: string,
  ): void {
    const { uid, gid, mtime } = stats;
    const name = path.replace(/^\/+/, '');
    if (name === '') return;
    // A journal has its directory's path, and sorts after it.
    const key = kind === 'journal' ? `${name}/` : name;
    this.found.set(key, {
      kind,
      path,
      real,
      name,
      mode: stats.mode & 0o7777,
      uid,
      gid,
      mtime,
      target,
    });
    if (this.found.size > mostFound) {
      throw new TooMuch(
        `more than ${mostFound} files were found; list fewer paths in jumphost.paths in rack.yaml`,
      );
    }
  }

  private leave(path: string, why: string): void {
    this.left.set(path, { path, why });
  }
}

class TooMuch extends Error {}

/** By the bytes of the text, as `LC_ALL=C sort` does: directories come before their contents. */
function sorted<T>(all: Iterable<T>, by: (each: T) => string): T[] {
  const keyed = [...all].map((each) => ({ key: Buffer.from(by(each)), each }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ each }) => each);
}

function kindOf(stats: Stats): string {
  if (stats.isSocket()) return 'a socket';
  if (stats.isFIFO()) return 'a pipe';
  return 'a device';
}

const denied =
  'the service does not have permission to read it; run the service as another user, or remove the path from jumphost.paths';
const reasons = new Map([
  ['ENOENT', 'the file or directory does not exist'],
  ['EACCES', denied],
  ['EPERM', denied],
  ['EIO', 'the disk reported a read error'],
]);

export function whyNot(error: unknown): string {
  return reasons.get(errorCode(error) ?? '') ?? errorText(error);
}
