/**
 * A folder by its device and inode, as another process sees it. A path says little: in another mount namespace the same
 * path is another folder, and another path may be this one.
 */
import { type BigIntStats, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Device and inode. */
export type FolderId = string;

const mostLinks = 40;

/** Undefined: the folder does not exist, or this process may not see it. */
export function folderId(path: string): FolderId | undefined {
  return idOf(() => statSync(path, { bigint: true }));
}

/** The folder that a path is for a process. Undefined: unknown. */
export function folderSeenBy(pid: number, path: string): FolderId | undefined {
  if (!path.startsWith('/')) return undefined;
  const root = `/proc/${pid}/root`;
  const left = namesOf(path);
  let at = root;
  let links = 0;
  while (left.length > 0) {
    const name = left.shift();
    // `..` could leave the root of the process.
    if (name === '..') return undefined;
    const target = linkTarget(`${at}/${name}`);
    if (target === undefined) {
      at = `${at}/${name}`;
      continue;
    }
    // The kernel would follow an absolute link from the root of this process, not from the other's.
    links += 1;
    if (links > mostLinks) return undefined;
    if (target.startsWith('/')) at = root;
    left.unshift(...namesOf(target));
  }
  return idOf(() => statSync(`${at}/`, { bigint: true }));
}

/** Whether a process works in a folder, or below it. */
export function worksIn(pid: number, folder: FolderId): boolean {
  const cwd = linkTarget(`/proc/${pid}/cwd`);
  if (cwd === undefined) return false;
  if (folderId(`/proc/${pid}/cwd/`) === folder) return true;
  // The kernel has resolved all links in it.
  for (let at = dirname(cwd); at !== '/' && at !== '.'; at = dirname(at)) {
    if (folderSeenBy(pid, at) === folder) return true;
  }
  return false;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function idOf(stat: () => BigIntStats): FolderId | undefined {
  try {
    const found = stat();
    return found.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
  } catch {
    return undefined;
  }
}
