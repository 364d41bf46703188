/**
 * Atomic files: complete at any moment, through crashes and power cuts.
 *
 * write-file-atomic does not sync the directory after the rename: a power cut could bring back the old content of a reported
 * write.
 */
import { randomBytes } from 'node:crypto';
import {
  constants,
  type FileHandle,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { errorCode, ifThere, NamedError } from '@skolo/base';
import { toDisk } from './disk.ts';
import { reasons } from './storage-errors.ts';

/** A file could not be written. `code` is a system code such as `ENOSPC`. */
export class FileNotWritten extends NamedError {
  readonly path: string;
  readonly code: string;

  constructor(path: string, cause: unknown) {
    const code = errorCode(cause) ?? 'unknown';
    super(`${path}: not written: ${reasons.get(code) ?? String(cause)} (${code})`, { cause });
    this.path = path;
    this.code = code;
  }
}

interface WriteOptions {
  /** Permissions of the file, independent of the umask; default 0600. */
  mode?: number;
  /**
   * An existing file keeps its owner, group and permissions, as far as this process may set them; `mode` is for a new
   * file. For files that one user writes and another reads.
   */
  keepAccess?: boolean;
}

/** Temp files that this thread is writing. */
const pendingTemps = new Set<string>();

/**
 * Replaces the content of a file. A crash or power cut leaves the old or the new content, never a mix: temp file in the
 * same directory, fsync, rename, fsync of the directory. When the promise resolves, the new content is on the disk.
 *
 * Concurrent writers do not interfere: the last rename wins. Removes temp files of a crashed writer of the same path. A
 * live writer in another container (another pid namespace) would look crashed, so a directory belongs to one container.
 * Replaces a symbolic link, without following it. The directory must exist.
 *
 * @throws FileNotWritten The old content is still there. If only the last step failed, the fsync of the directory, it is the
 *   new content, which a power cut may undo.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
  { mode = 0o600, keepAccess = false }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temp = tempName(basename(path));
  pendingTemps.add(temp);
  try {
    await toDisk(async () => {
      // First, because they may fill a full disk.
      await removeStaleTemps(folder, basename(path));
      const previous = keepAccess ? await accessOf(path) : undefined;
      await writeSynced(join(folder, temp), content, previous ?? { mode });
      await rename(join(folder, temp), path);
      await syncFolder(folder);
    });
  } catch (error) {
    await rm(join(folder, temp), { force: true }).catch(() => undefined);
    throw new FileNotWritten(path, error);
  } finally {
    pendingTemps.delete(temp);
  }
}

/** The content as UTF-8; undefined if there is no such file. @throws Error From the system. */
export function readFileIfExists(path: string): Promise<string | undefined> {
  return ifThere(readFile(path, 'utf8'));
}

/**
 * Opens a regular file for reading, in a directory where another user may replace it with a link, a pipe or a device: those are
 * neither followed nor waited for.
 *
 * @throws Error From the system, such as ELOOP for a link.
 */
export async function openPlainFile(path: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${path}: not a file`);
}

interface FileAccess {
  mode: number;
  owner?: { uid: number; gid: number };
}

/** Access of an existing file, or of the target of a link. */
async function accessOf(path: string): Promise<FileAccess | undefined> {
  const found = await ifThere(stat(path));
  return found && { mode: found.mode & 0o777, owner: { uid: found.uid, gid: found.gid } };
}

async function writeSynced(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
  access: FileAccess,
) {
  await using handle = await open(path, 'wx', 0o600);
  await setAccess(handle, access);
  await handle.writeFile(content);
  await handle.sync();
}

/** Only root may change the owner; the owner may set a group of which it is a member. */
async function setAccess(handle: FileHandle, { mode, owner }: FileAccess) {
  const isGroupKept = owner === undefined || (await mayChown(handle, unchanged, owner.gid));
  if (owner !== undefined) await mayChown(handle, owner.uid, unchanged);
  // Permissions of the previous group are not for another group.
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
  await using handle = await open(folder, 'r');
  await handle.sync().catch((error: unknown) => {
    // Some network and FUSE file systems cannot sync a directory, Windows (EPERM) none, and a read-only one has nothing to sync.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
  });
}

function tempName(base: string) {
  return `.${base}.${process.pid}-${threadId}-${randomBytes(6).toString('hex')}.tmp`;
}

const tempSuffix = /^(?<pid>\d+)-(?<thread>\d+)-[0-9a-f]{12}\.tmp$/;

/** Best effort; the next write retries. */
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
 * A process in a container has the same pid after each restart. So a temp file with our pid is also stale, unless this
 * thread is writing it. Other threads remove their own.
 */
function isStale(name: string, pid: number, thread: number) {
  if (pid === process.pid) return thread === threadId && !pendingTemps.has(name);
  return !isRunning(pid);
}

function isRunning(pid: number) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
