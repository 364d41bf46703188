/**
 * Decides what is repaired in a damaged history: what git can rebuild from other parts: HEAD, the settings, a pack's index, the branch.
 * Content is never changed. `Repository.check` decides whether the result is intact.
 */

import { readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { count, errorCode, ifThere } from '@skolo/base';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { durable } from '../git/fast-import.ts';
import { git } from '../git/git.ts';
import { removeLeftovers } from '../git/leftovers.ts';
import { inWords, notRead } from '../git/storage-error.ts';
import { branch, headText, settingsText } from './folder.ts';

/**
 * What was repaired, for people. Empty: there is nothing that git can rebuild.
 *
 * @throws BackupError `storage`: it cannot be repaired now, because the disk is full or git cannot run, for example. `damaged`: git
 * cannot read what it would be rebuilt from.
 */
export async function repairHistory(folder: string): Promise<string[]> {
  const repaired: string[] = [];
  try {
    const dir = await realpath(folder);
    // The remains of a repository without objects are not a history.
    if (!(await isFolder(join(dir, 'objects')))) return [];
    await removeLeftovers(dir);
    for (const repair of [repairHead, repairSettings, repairIndexes, repairBranch]) {
      repaired.push(...(await repair(dir)));
    }
  } catch (error) {
    const what = [`${folder} cannot be repaired`, ...repaired].join('; ');
    // A directory in the place of a file, or the reverse, is not a fault that passes.
    if (['EISDIR', 'ENOTDIR'].includes(errorCode(error) ?? '')) {
      throw new BackupError('damaged', `${what}: ${inWords(error)}`, { cause: error });
    }
    throw notRead(what, error);
  }
  return repaired;
}

async function isFolder(path: string): Promise<boolean> {
  return (await ifThere(stat(path)))?.isDirectory() ?? false;
}

async function repairHead(dir: string): Promise<string[]> {
  const file = join(dir, 'HEAD');
  const head = await readFileIfExists(file);
  // An operator must have pointed HEAD to another branch.
  if (/^ref: refs\/heads\/\S+$/.test(head?.trim() ?? '')) return [];
  await writeFileAtomic(file, `${headText}\n`, { mode: 0o600 });
  return ['HEAD was rewritten'];
}

async function repairSettings(dir: string): Promise<string[]> {
  if (await succeeds(['config', '--local', '--get', 'core.bare'], dir)) return [];
  await rm(join(dir, 'config.broken'), { force: true });
  await ifThere(rename(join(dir, 'config'), join(dir, 'config.broken')));
  await writeFileAtomic(join(dir, 'config'), settingsText, { mode: 0o600 });
  return ['the git configuration was rewritten'];
}

/** An index is built from its pack; if the pack is damaged, the index stays. */
async function repairIndexes(dir: string): Promise<string[]> {
  const folder = join(dir, 'objects/pack');
  const packs = ((await ifThere(readdir(folder))) ?? []).filter((name) => name.endsWith('.pack'));
  const repaired: string[] = [];
  for (const pack of packs) {
    const name = pack.slice(0, -'.pack'.length);
    const index = join(folder, `${name}.idx`);
    const isSound = await succeeds(['verify-pack', '--', index], dir);
    if (isSound) continue;
    const made = join(folder, `tmp_idx_${name}.idx`);
    // git rebuilds the reverse index if necessary.
    const args = [...durable, 'index-pack', '--no-rev-index', '-o', made, join(folder, pack)];
    if (await succeeds(args, dir)) {
      await rename(made, index);
      await syncFolder(folder);
      repaired.push(`the index of ${name} was rebuilt`);
    }
    await rm(made, { force: true });
  }
  return repaired;
}

/** The branch was at a commit without children; if there are several, the one with the longest history. */
async function repairBranch(dir: string): Promise<string[]> {
  const file = join(dir, 'refs/heads', branch);
  const named = (await readFileIfExists(file)) ?? '';
  // A branch that names a missing commit has lost content; moving it back would hide that.
  if (/^[0-9a-f]{40}\s*$/.test(named)) return [];
  if (named === '' && (await succeeds(['rev-parse', '--verify', '--quiet', branch], dir)))
    return [];
  const format = '--batch-check=%(objecttype) %(objectname)';
  const objects = await git(['cat-file', '--batch-all-objects', '--unordered', format], { dir });
  const commits = objects
    .toString()
    .split('\n')
    .flatMap((line) => (line.startsWith('commit ') ? [line.slice('commit '.length)] : []));
  const parents = await parentsOf(dir, commits);
  let best: { tip: string; past: number } | undefined;
  for (const tip of commits.filter((commit) => !parents.has(commit))) {
    const past = Number((await output(['rev-list', '--count', tip, '--'], dir)) ?? 0);
    if (past > (best?.past ?? 0)) best = { tip, past };
  }
  if (best === undefined) return [];
  await writeFileAtomic(file, `${best.tip}\n`, { mode: 0o600 });
  return [
    `the branch was set to ${best.tip.slice(0, 10)}, which has ${count(best.past, 'commit')}`,
  ];
}

async function parentsOf(dir: string, commits: readonly string[]): Promise<Set<string>> {
  const input = commits.map((commit) => `${commit}\n`).join('');
  const log = await git(['log', '--no-walk=unsorted', '--stdin', '--format=%P'], { dir, input });
  return new Set(log.toString().split(/\s+/).filter(Boolean));
}

async function succeeds(args: readonly string[], dir: string): Promise<boolean> {
  return (await output(args, dir)) !== undefined;
}

/** Undefined: git exited with an error of its own. A git that cannot run, was killed or has no disk space shows nothing. */
async function output(args: readonly string[], dir: string): Promise<Buffer | undefined> {
  try {
    return await git(args, { dir });
  } catch (error) {
    if (notRead(dir, error).code !== 'damaged') throw error;
    return undefined;
  }
}
