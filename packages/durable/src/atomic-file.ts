/**
 * Single files that are whole at any moment, whatever dies.
 *
 * write-file-atomic does not sync the folder after the rename: after a power cut the old content may be back
 * although the write was reported as done. That is why this is written here.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { reasonFor, systemCode } from './system-error.ts';

/** A file could not be written. `code` is the system's, such as `ENOSPC`. */
export class FileNotWritten extends Error {
  readonly path: string;
  readonly code: string;

  constructor(path: string, cause: unknown) {
    const code = systemCode(cause);
    super(`${path}: not written: ${reasonFor(code) ?? String(cause)} (${code})`, { cause });
    this.name = 'FileNotWritten';
    this.path = path;
    this.code = code;
  }
}

export interface WriteOptions {
  /** Permissions of the file, whatever the umask; default 0600, since what services keep is nobody else's. */
  mode?: number;
  /**
   * Leaves a file that is there with its owner, group and permissions, as far as this process may give them; `mode` is
   * then for a new file. For files that one user writes and another reads.
   */
  keepAccess?: boolean;
}

/** Names of the temp files that this thread is writing now. */
const underWay = new Set<string>();

/**
 * Replaces the file's content so that a crash or a power cut leaves the old content or the new, never a mix: temp
 * file beside it, fsync, rename, fsync of the folder. Once the promise is fulfilled, the new content is on the disk.
 *
 * Concurrent writers do not disturb each other: the last rename wins. Temp files that a crashed writer of the same
 * path left are removed; a live writer in another container (another pid namespace) looks just like that, so a folder
 * belongs to one container. A symbolic link is replaced, not followed. The folder has to exist.
 *
 * @throws FileNotWritten The old content is still there – or, if only the last step, the folder's fsync, failed,
 *   the new one, which a power cut may yet undo.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode = 0o600, keepAccess = false }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temp = tempName(basename(path));
  underWay.add(temp);
  try {
    // First, because on a full disk what they hold may be the room that is missing.
    await removeStaleTemps(folder, basename(path));
    const former = keepAccess ? await accessOf(path) : undefined;
    await writeSynced(join(folder, temp), content, former ?? { mode });
    await rename(join(folder, temp), path);
    await syncFolder(folder);
  } catch (error) {
    await rm(join(folder, temp), { force: true }).catch(() => undefined);
    throw new FileNotWritten(path, error);
  } finally {
    underWay.delete(temp);
  }
}

/** The file's content as UTF-8, or undefined where there is no such file. Any other failure is thrown as it is. */
export async function readFileIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

interface FileAccess {
  mode: number;
  owner?: { uid: number; gid: number };
}

/** Of a file that is there; of a link, that of its target. */
async function accessOf(path: string): Promise<FileAccess | undefined> {
  try {
    const { mode, uid, gid } = await stat(path);
    return { mode: mode & 0o777, owner: { uid, gid } };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeSynced(path: string, content: string | Uint8Array, access: FileAccess) {
  const handle = await open(path, 'wx', 0o600);
  try {
    await setAccess(handle, access);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only root may give a file away; everybody may give it to a group that he is in. */
async function setAccess(handle: FileHandle, { mode, owner }: FileAccess) {
  const isGroupKept = owner === undefined || (await mayChown(handle, unchanged, owner.gid));
  if (owner !== undefined) await mayChown(handle, owner.uid, unchanged);
  // What the former group was allowed is not for whichever group the file has now.
  await handle.chmod(isGroupKept ? mode : mode & ~0o070);
}

/** For chown(2). */
const unchanged = -1;

async function mayChown(handle: FileHandle, uid: number, gid: number): Promise<boolean> {
  try {
    await handle.chown(uid, gid);
    return true;
  } catch {
    return false;
  }
}

export async function syncFolder(folder: string) {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network and FUSE file systems cannot sync a folder; there is nothing better to do on them.
    if (!['EINVAL', 'ENOTSUP'].includes(systemCode(error))) throw error;
  } finally {
    await handle.close();
  }
}

function tempName(base: string) {
  return `.${base}.${process.pid}-${threadId}-${randomBytes(6).toString('hex')}.tmp`;
}

const tempSuffix = /^(?<pid>\d+)-(?<thread>\d+)-[0-9a-f]{12}\.tmp$/;

/** Best effort: what cannot be listed or removed now is left for the next write. */
async function removeStaleTemps(folder: string, base: string) {
  const prefix = `.${base}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const writer = tempSuffix.exec(name.slice(prefix.length))?.groups;
    if (writer && isStale(name, Number(writer.pid), Number(writer.thread))) {
      await rm(join(folder, name), { force: true }).catch(() => undefined);
    }
  }
}

/**
 * A container's process has the same pid after each restart, so a temp file of our own pid is stale, too, if this
 * thread is not writing it. Other threads of this process know about theirs.
 */
function isStale(name: string, pid: number, thread: number) {
  if (pid === process.pid) return thread === threadId && !underWay.has(name);
  return !isRunning(pid);
}

function isRunning(pid: number) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
