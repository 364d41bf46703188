/**
 * The jumphost as one encrypted archive: state of the services, cluster database and token of k3s, rack.yaml. A tar, gzip, age, so that it
 * can be restored without this program:
 *
 *     age -d -i IDENTITY ARCHIVE | tar -xz -C FOLDER
 *
 * into an empty directory, and from there each file to its place, while its service is down. The archive is never on the disk in the clear.
 * Services keep running meanwhile: journals are copied as of one moment (copyLive of `@skolo/base/durable`), SQLite databases by SQLite
 * (`sqlite.ts`), other files up to their length when opened. The copies are of slightly different moments, as after a power cut.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { encryptTo } from '@skolo/backup';
import { asError, errorText } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';
import { tarHeader } from '@skolo/equipment/models/tar';
import type { Rack } from '@skolo/rack';
import { type Pack, pack } from 'tar-stream';
import { z } from 'zod';
import { type FindOptions, type Found, findAll, Left } from './find.ts';
import { ContentChanged, type Member, membersOf } from './members.ts';

interface ArchiveOptions extends FindOptions {
  rack: Pick<Rack, 'name' | 'jumphost'>;
  /** Whether it contains the machine history, which is larger than all the rest together. */
  history: boolean;
  /** `services.router-backup.encrypt`. */
  recipients: readonly string[] | 'none' | undefined;
  /** Where the archive is created. */
  folder: string;
  /** For copies of databases; does not exist before and after. */
  scratch: string;
  /** Milliseconds since 1970. */
  now: number;
}

export const JumphostArchive = z.object({
  /** The caller's to keep or remove; mode 0600, and synced to the disk. */
  file: z.string(),
  /** Of the file. */
  size: z.int().min(0),
  /** Of the file, in hex. */
  sha256: z.string(),
  /** Of names, kinds, permissions and contents: equal if nothing has changed, although the bytes of each archive differ. */
  digest: z.string(),
  /** The size of the tar in it. */
  plain: z.object({ size: z.int().min(0), sha1: z.string() }),
  /** The number of members. */
  files: z.int(),
  /** Whether it contains the machine history. Earlier releases always included it. */
  history: z.boolean().default(true),
  left: z.array(Left),
});
export type JumphostArchive = z.output<typeof JumphostArchive>;

/** An archive that is being created. */
export const archiveTemp = /^[0-9a-f]{24}\.tmp$/;

/** A file in the archive: which jumphost it is from, and what was omitted. */
export const aboutFile = 'skolo-jumphost.json';

/** Also copies that machine-state has set aside. */
const historyFile = /\/machine-state\/history\.sqlite(\.damaged-[^/]*)?$/;

const tries = 5;
const noRecipient =
  'the jumphost contains secrets, so its backup must be encrypted: set services.router-backup.encrypt to an age recipient (to create one, run age-keygen)';

/**
 * @throws BackupError `rejected`: there is no recipient. `storage`: the disk is full, or files change faster than they can be read. Also
 * the reason of an aborted signal. Nothing is left behind then.
 */
export async function archiveJumphost(options: ArchiveOptions): Promise<JumphostArchive> {
  const { recipients, folder, scratch, signal } = options;
  if (recipients === undefined || recipients === 'none' || recipients.length === 0) {
    throw new BackupError('rejected', noRecipient);
  }
  const search = { ...options, exclude: [...options.exclude, folder, scratch] };
  const unreadable = new Map<string, Left>();
  for (let left = tries; ; left -= 1) {
    const { found, left: notFound } = await findAll(search);
    const wanted = found.filter(
      ({ path }) => !unreadable.has(path) && (options.history || !historyFile.test(path)),
    );
    const known = [...notFound, ...unreadable.values()];
    const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
    try {
      return await write(file, wanted, { ...options, recipients, left: known });
    } catch (error) {
      await rm(file, { force: true }).catch(() => undefined);
      signal.throwIfAborted();
      if (error instanceof ContentChanged && left > 1) {
        // A file that changes in each attempt is omitted in the end.
        if (left <= tries - 2) unreadable.set(error.path, error);
        continue;
      }
      if (error instanceof BackupError) throw error;
      throw new BackupError('storage', `${folder}: no archive: ${errorText(error)}`, {
        cause: error,
      });
    } finally {
      await rm(scratch, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function write(
  file: string,
  found: readonly Found[],
  options: ArchiveOptions & { recipients: readonly string[]; left: Left[] },
): Promise<JumphostArchive> {
  const { scratch, signal, recipients, left } = options;
  const tar = pack();
  const plain = new Measured('sha1');
  const sealed = new Measured('sha256');
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  const members = membersOf(found, { scratch, signal, leave: (each) => left.push(each) });
  const [{ digest, files }] = await Promise.all([
    fill(tar, members, () => aboutMember(options, left)),
    pipeline(
      tar,
      (chunks: AsyncIterable<Uint8Array>) => plain.measure(chunks),
      createGzip(),
      encryptTo(recipients),
      (chunks: AsyncIterable<Uint8Array>) => sealed.measure(chunks),
      target,
      { signal },
    ),
  ]);
  const { size, digest: sha256 } = sealed.result();
  const { size: plainSize, digest: sha1 } = plain.result();
  const history = found.some(
    ({ path }) =>
      path.endsWith('.sqlite') &&
      historyFile.test(path) &&
      !left.some((each) => each.path === path),
  );
  return { file, size, sha256, digest, plain: { size: plainSize, sha1 }, files, history, left };
}

async function fill(
  tar: Pack,
  members: AsyncIterable<Member>,
  last: () => Member,
): Promise<{ digest: string; files: number }> {
  const digest = createHash('sha256');
  let files = 0;
  async function add(member: Member): Promise<void> {
    const { name, type, mode, size, target = '' } = member;
    const content = await addMember(tar, member);
    digest.update(`${JSON.stringify([name, type, mode, size, target, content])}\n`);
  }
  try {
    for await (const member of members) {
      await add(member);
      if (member.type === 'file') files += 1;
    }
    await add(last());
    tar.finalize();
  } catch (error) {
    tar.destroy(asError(error));
    throw error;
  }
  return { digest: digest.digest('hex'), files };
}

/** Returns the SHA-256 of the content. */
async function addMember(tar: Pack, member: Member): Promise<string> {
  const hash = new Measured('sha256');
  await pipeline(
    member.content ?? Readable.from([]),
    (chunks: AsyncIterable<Uint8Array>) => hash.measure(chunks),
    tar.entry(tarHeader(member, member.mtime)),
  );
  return hash.result().digest;
}

/** Without a time, which would differ each day. */
function aboutMember({ rack, paths, history, now }: ArchiveOptions, left: readonly Left[]): Member {
  const about = { rack: rack.name, jumphost: rack.jumphost.name, paths, history, left };
  const content = Buffer.from(`${JSON.stringify(about, undefined, 2)}\n`);
  return {
    name: aboutFile,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtime: new Date(now),
    size: content.length,
    content: Readable.from([content]),
  };
}

class Measured {
  private readonly hash: ReturnType<typeof createHash>;
  private size = 0;

  constructor(algorithm: 'sha1' | 'sha256') {
    this.hash = createHash(algorithm);
  }

  async *measure(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.hash.update(chunk);
      this.size += chunk.length;
      yield chunk;
    }
  }

  result(): { size: number; digest: string } {
    return { size: this.size, digest: this.hash.digest('hex') };
  }
}
