/**
 * A folder whose files change all at once: they are links into a version of it, and one rename changes the version. The
 * layout is the kubelet's, which services already know how to watch.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { syncFolder } from '@skolo/base/durable/atomic-file';

/** Files by path. The file `environment` has the variables that come from Secrets. */
export type Files = Map<string, Uint8Array>;

const current = '..data';

/**
 * Makes the folder contain these files, readable by root and the group. True when anything was written.
 *
 * @throws Error for people, where the folder has a file that somebody put there by hand
 */
export async function writeFolder(folder: string, files: Files, gid: number): Promise<boolean> {
  await fs.mkdir(folder, { recursive: true });
  const present = (await fs.readdir(folder)).filter((name) => !name.startsWith('..'));
  for (const name of present) await rejectForeign(join(folder, name));
  const version = `..${digestOf(files, gid)}`;
  const names = new Set([...files.keys()].map((path) => path.split(sep)[0] ?? path));
  const isWritten = (await linkIn(join(folder, current))) === version;
  if (isWritten && present.length === names.size) return false;

  if (!isWritten) {
    await fs.chown(folder, 0, gid);
    await fs.chmod(folder, 0o750);
    await writeVersion(join(folder, version), files, gid);
    const next = join(folder, '..data_next');
    await fs.rm(next, { force: true });
    await fs.symlink(version, next);
    await fs.rename(next, join(folder, current));
  }
  for (const name of names) {
    if (!present.includes(name)) await fs.symlink(join(current, name), join(folder, name));
  }
  await syncFolder(folder);
  for (const name of await fs.readdir(folder)) {
    const isKept = name === current || name === version || names.has(name);
    if (!isKept) await fs.rm(join(folder, name), { recursive: true, force: true });
  }
  return true;
}

async function rejectForeign(path: string): Promise<void> {
  if ((await linkIn(path))?.startsWith(current)) return;
  throw new Error(
    `${path} was created manually and is left unchanged; to replace it with the copy from k3s, move it elsewhere`,
  );
}

async function linkIn(path: string): Promise<string | undefined> {
  return await fs.readlink(path).catch(() => undefined);
}

function digestOf(files: Files, gid: number): string {
  const hash = createHash('sha256').update(`${gid}`);
  for (const [path, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function writeVersion(folder: string, files: Files, gid: number): Promise<void> {
  await fs.rm(folder, { recursive: true, force: true });
  const made = new Set<string>();
  async function makeFolder(path: string) {
    if (made.has(path)) return;
    if (path !== folder) await makeFolder(dirname(path));
    await fs.mkdir(path);
    await fs.chown(path, 0, gid);
    // Whatever the umask is.
    await fs.chmod(path, 0o750);
    made.add(path);
  }
  await makeFolder(folder);
  for (const [path, content] of files) {
    const file = join(folder, path);
    await makeFolder(dirname(file));
    await using handle = await fs.open(file, 'wx', 0o600);
    await handle.writeFile(content);
    await handle.chown(0, gid);
    // The group reads it only where that is not root's.
    await handle.chmod(gid === 0 ? 0o400 : 0o440);
    await handle.sync();
  }
  for (const path of made) await syncFolder(path);
}
