/** The way back of the jumphost's archive: into an empty folder, from where a person puts things in their place. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lchown, open, readdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import {
  BackupError,
  decryptWith,
  memberBytes,
  memberStream,
  readTar,
  type TarMember,
} from '@skolo/backup';
import { makeFolder } from '@skolo/durable';
import type { Secret } from '@skolo/secrets';
import { z } from 'zod';
import { aboutFile } from './archive.ts';
import { isDatabase } from './sqlite.ts';

const run = promisify(execFile);

export interface Restored {
  rack: string;
  jumphost: string;
  /** How many. */
  files: number;
  /** What had to be left out when it was archived. */
  left: { path: string; why: string }[];
  /** Databases, as SQLite itself finds them: `ok`. */
  databases: { path: string; said: string }[];
}

const About = z.object({
  rack: z.string(),
  jumphost: z.string(),
  left: z.array(z.object({ path: z.string(), why: z.string() })),
});

/**
 * Unpacks an archive: `into/var/lib/skolo/…`. The same as `age -d -i IDENTITY ARCHIVE | tar -xz -C INTO`, but that everything
 * is looked at before anything is written, and that databases are checked where `sqlite3` is installed.
 *
 * @throws BackupError `no-key`, `damaged`. `refused`: the folder is not empty. What had been written is removed again.
 */
export async function restoreJumphost(
  file: string,
  identities: readonly Secret[],
  into: string,
): Promise<Restored> {
  await makeFolder(into);
  if ((await readdir(into)).length > 0) {
    throw new BackupError('refused', `${into} is not empty; give a folder that is`);
  }
  const tar = join(into, `.${randomBytes(12).toString('hex')}.tmp`);
  try {
    await unpack(file, identities, tar);
    const content = { file: tar, size: 0 };
    const members = readTar(content);
    const about = aboutOf(file, members, (member) => memberBytes(content, member));
    const databases: string[] = [];
    for (const member of members) {
      if (await write(member, join(into, member.name), () => memberStream(content, member))) {
        databases.push(member.name);
      }
    }
    // At last, since a folder may be one that nobody may write to.
    for (const { name, type, mode } of members.toReversed()) {
      if (type === 'folder') await chmod(join(into, name), mode);
    }
    await rm(tar);
    const checks = databases.map(async (path) => ({ path, said: await check(join(into, path)) }));
    return {
      ...about,
      files: members.filter(({ type, name }) => type === 'file' && name !== aboutFile).length,
      databases: await Promise.all(checks),
    };
  } catch (error) {
    for (const name of await readdir(into)) {
      await rm(join(into, name), { recursive: true, force: true });
    }
    throw error;
  }
}

async function unpack(file: string, identities: readonly Secret[], tar: string): Promise<void> {
  try {
    await pipeline(
      createReadStream(file),
      decryptWith(identities, file),
      createGunzip(),
      createWriteStream(tar, { flags: 'wx', mode: 0o600 }),
    );
  } catch (error) {
    if (error instanceof BackupError) throw error;
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new BackupError('damaged', `${file}: what is in it is damaged`, { cause: error });
    }
    throw error;
  }
}

function aboutOf(file: string, members: TarMember[], bytes: (member: TarMember) => Buffer) {
  const member = members.find(({ name }) => name === aboutFile);
  const about = member && About.safeParse(JSON.parse(bytes(member).toString('utf8')));
  if (about?.success) return about.data;
  throw new BackupError('damaged', `${file} is no archive of a jumphost: it has no ${aboutFile}`);
}

/** Whether it is a database. Names were checked by `readTar`: they are in the folder, and beneath no link. */
async function write(
  member: TarMember,
  path: string,
  content: () => NodeJS.ReadableStream,
): Promise<boolean> {
  const { type, mode, uid, gid, target = '' } = member;
  await makeFolder(dirname(path));
  if (type === 'folder') await makeFolder(path);
  else if (type === 'link') await symlink(target, path);
  else if (type === 'file') {
    await pipeline(content(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  }
  // Only root may give files away, and nobody else needs to.
  if (process.getuid?.() === 0) await lchown(path, uid, gid);
  if (type !== 'file') return false;
  await chmod(path, mode);
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return isDatabase(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Changes nothing: of what it makes for itself, the index of the log, nothing stays. */
async function check(path: string): Promise<string> {
  try {
    const args = ['-readonly', path, 'PRAGMA integrity_check;'];
    const { stdout } = await run('sqlite3', args, { timeout: 600_000 });
    return stdout.trim();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) return 'not checked: sqlite3 is not installed';
    const said = error instanceof Error && 'stderr' in error ? error.stderr : error;
    return String(said).trim();
  } finally {
    await rm(`${path}-shm`, { force: true });
  }
}
