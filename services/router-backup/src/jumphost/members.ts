/** The members of an archive, in sequence: each is open only while it is read. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { errorCode, isDiskFull } from '@skolo/base';
import { copyLive, makeFolder, openPlainFile } from '@skolo/base/durable';
import { type Found, type Left, whyNot } from './find.ts';
import { copyDatabase } from './sqlite.ts';

export interface Member extends Pick<Found, 'name' | 'mode' | 'uid' | 'gid' | 'mtime' | 'target'> {
  type: 'file' | 'folder' | 'link';
  size: number;
  /** Exactly `size` bytes. @throws ContentChanged */
  content?: Readable;
}

interface MembersOptions {
  /** For copies of databases, in the clear; each is removed once it is in the archive. */
  scratch: string;
  signal: AbortSignal;
  /** Called with each path that turns out to be unreadable. */
  leave: (left: Left) => void;
}

/** A member cannot be completed: the file became shorter, or the disk cannot read it. */
export class ContentChanged extends Error {
  readonly path: string;
  readonly why: string;

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path}: ${why}`, options);
    this.path = path;
    this.why = why;
  }
}

/** Each member must be read before the next one is requested. */
export async function* membersOf(
  found: Iterable<Found>,
  options: MembersOptions,
): AsyncGenerator<Member> {
  for (const each of found) {
    options.signal.throwIfAborted();
    if (each.kind === 'journal') yield* journalMembers(each, options);
    else if (each.kind === 'database') yield* databaseMember(each, options);
    else if (each.kind === 'file') yield* fileMember(each, options);
    else yield { ...aboutOf(each), type: each.kind, size: 0 };
  }
}

async function* journalMembers(
  found: Found,
  { signal, leave }: MembersOptions,
): AsyncGenerator<Member> {
  const copy = await copyLive(found.real, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    leave({ path: found.path, why: whyNot(error) });
  });
  if (copy === undefined) return;
  try {
    const why = `copied although ${copy.damage}; readable records are recovered when the file is opened`;
    if (copy.damage !== undefined) leave({ path: found.path, why });
    for (const { name, size, stream } of copy.files.toSorted(byName)) {
      const about = { ...aboutOf(found), name: `${found.name}/${name}`, mode: 0o600 };
      const content = exactly(size, stream(), `${found.path}/${name}`);
      yield { ...about, type: 'file', size, content };
    }
  } finally {
    await copy.close();
  }
}

async function* databaseMember(found: Found, options: MembersOptions): AsyncGenerator<Member> {
  const copy = join(options.scratch, `${randomBytes(12).toString('hex')}.db`);
  try {
    await makeFolder(options.scratch);
    await copyDatabase(found.real, copy);
    yield* fileMember(found, options, copy);
  } catch (error) {
    options.signal.throwIfAborted();
    // Without space for the copy, there is none for an archive either.
    if (error instanceof ContentChanged || isDiskFull(error)) throw error;
    options.leave({ path: found.path, why: whyNot(error) });
  } finally {
    await rm(copy, { force: true });
  }
}

async function* fileMember(
  found: Found,
  { leave }: MembersOptions,
  path = found.real,
): AsyncGenerator<Member> {
  let handle: FileHandle;
  try {
    handle = await openPlainFile(path);
  } catch (error) {
    // A file that was removed meanwhile is not needed.
    if (errorCode(error) !== 'ENOENT') leave({ path: found.path, why: whyNot(error) });
    return;
  }
  try {
    // Bytes that are appended meanwhile are left for the next archive.
    const { size, mtime } = await handle.stat();
    const source =
      size === 0
        ? Readable.from([])
        : handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
    const content = exactly(size, source, found.path);
    yield { ...aboutOf(found), mtime, type: 'file', size, content };
  } finally {
    await handle.close();
  }
}

function exactly(size: number, source: Readable, path: string): Readable {
  async function* checked(): AsyncGenerator<Uint8Array> {
    let length = 0;
    try {
      for await (const chunk of source) {
        length += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw new ContentChanged(path, whyNot(error), { cause: error });
    }
    if (length !== size)
      throw new ContentChanged(path, 'the file became shorter while it was being read');
  }
  return Readable.from(checked(), { objectMode: false });
}

function aboutOf({ name, mode, uid, gid, mtime, target }: Found) {
  return { name, mode, uid, gid, mtime, target };
}

function byName(a: { name: string }, b: { name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
