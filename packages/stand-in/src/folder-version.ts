/**
 * A folder whose files change all at once: they are links into a version of it, and one rename changes the version. The
 * same layout as the kubelet's, which services already know how to watch.
 */
import { randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { syncFolder } from '@skolo/durable/atomic-file';
import type { Files } from './projected.ts';

const current = '..data';

/** The folder holds what somebody else has put there. */
export class FolderNotOurs extends Error {
  readonly code = 'FOLDER_NOT_OURS';
}

/**
 * Makes the folder hold these files, readable by root and the group. True when anything was written: a folder that holds
 * them already is left alone.
 */
export async function writeFolder(folder: string, files: Files, gid: number): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  await refuseForeign(folder);
  if (await holds(folder, files)) return false;

  await chown(folder, 0, gid);
  await chmod(folder, 0o750);
  const version = `..${new Date().toISOString().replaceAll(':', '-')}_${randomUUID().slice(0, 8)}`;
  await writeVersion(join(folder, version), files, gid);
  const next = join(folder, '..data_next');
  await rm(next, { force: true });
  await symlink(version, next);
  await rename(next, join(folder, current));
  await linkNames(folder, files);
  await syncFolder(folder);
  for (const name of await readdir(folder)) {
    const isOld = name.startsWith('..') && name !== current && name !== version;
    if (isOld) await rm(join(folder, name), { recursive: true, force: true });
  }
  return true;
}

/** A file that is no link was put there by hand. */
async function refuseForeign(folder: string) {
  for (const name of await readdir(folder)) {
    if (name.startsWith('..')) continue;
    const isOurs =
      (await lstat(join(folder, name))).isSymbolicLink() &&
      (await readlink(join(folder, name))).startsWith(current);
    if (!isOurs) {
      throw new FolderNotOurs(
        `${join(folder, name)} was put there by hand and is left alone; move it away to have it from k3s`,
      );
    }
  }
}

async function holds(folder: string, files: Files): Promise<boolean> {
  const data = join(folder, current);
  const present = await filesIn(data).catch(() => undefined);
  if (present === undefined || present.length !== files.size) return false;
  for (const [path, content] of files) {
    const there = await readFile(join(data, path)).catch(() => undefined);
    if (there === undefined || !there.equals(content)) return false;
  }
  const names = (await readdir(folder)).filter((name) => !name.startsWith('..'));
  return names.length === topNames(files).size;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

async function writeVersion(folder: string, files: Files, gid: number) {
  const made = new Set<string>();
  const makeFolder = async (path: string) => {
    if (made.has(path)) return;
    if (path !== folder) await makeFolder(dirname(path));
    await mkdir(path);
    await chown(path, 0, gid);
    // Whatever the umask is.
    await chmod(path, 0o750);
    made.add(path);
  };
  await makeFolder(folder);
  for (const [path, content] of files) {
    const file = join(folder, path);
    await makeFolder(dirname(file));
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.chown(0, gid);
      // The group reads it only where that is not root's.
      await handle.chmod(gid === 0 ? 0o400 : 0o440);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  for (const path of made) await syncFolder(path);
}

async function linkNames(folder: string, files: Files) {
  const names = topNames(files);
  for (const name of names) {
    const link = join(folder, name);
    if (!(await isLink(link))) await symlink(join(current, name), link);
  }
  for (const name of await readdir(folder)) {
    if (!name.startsWith('..') && !names.has(name)) await rm(join(folder, name), { force: true });
  }
}

function topNames(files: Files): Set<string> {
  return new Set([...files.keys()].map((path) => path.split(sep)[0] ?? path));
}

async function isLink(path: string): Promise<boolean> {
  return await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}
