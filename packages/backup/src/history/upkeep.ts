/** Checks the integrity of a history, and keeps it small. */

import { durable } from '../git/fast-import.ts';
import { GitFailed, git, startGit, withoutIds } from '../git/git.ts';
import { notRead } from '../git/storage-error.ts';

/**
 * Problems that git finds, for people; undefined if there are none.
 *
 * @throws GitFailed: it could not check everything. BackupError: git is missing. The reason of `signal`.
 */
export async function findDamage(dir: string, signal: AbortSignal): Promise<string | undefined> {
  const fsck = startGit(['fsck', '--full', '--no-dangling', '--no-progress'], {
    dir,
    signal,
    timeoutMs: Number.POSITIVE_INFINITY,
  });
  fsck.stdin.end();
  const said: string[] = [];
  let rest = '';
  fsck.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (said.length < shown) said.push(...lines.slice(0, shown));
  });
  try {
    await fsck.ended;
    return undefined;
  } catch (error) {
    if (!(error instanceof GitFailed) || notRead('', error).code !== 'damaged') throw error;
    const lines = [...error.stderr.split('\n'), ...said].map((line) => line.trim()).filter(Boolean);
    return `git fsck: ${withoutIds(lines.slice(0, shown).join('; ')) || error.message}`;
  }
}

const shown = 4;

/**
 * Combines the packs of many commits, as many small ones at a time as worthwhile; discards nothing. If it is killed, the old packs still
 * exist.
 */
export async function repack(dir: string, signal: AbortSignal): Promise<void> {
  const modest = ['pack.threads=1', 'pack.windowMemory=64m', 'core.bigFileThreshold=16m'];
  await git(
    [
      ...durable,
      ...modest.flatMap((setting) => ['-c', setting]),
      ...['repack', '--quiet', '-d', '-l', '-n', '--geometric=2'],
    ],
    { dir, signal, timeoutMs: Number.POSITIVE_INFINITY },
  );
}
