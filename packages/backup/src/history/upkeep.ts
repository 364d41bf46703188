/** Checks the integrity of a history, and decides when it is repacked to keep it small. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
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

/** In the history's directory: bytes of its pack when all were last combined. */
const wholeFile = 'packed-bytes';
const mib = 1024 * 1024;

/**
 * Combines the packs of many commits, as many small ones at a time as worthwhile; discards nothing. New versions are stored whole until
 * packs have become half as large again: then git combines all of them, and stores versions as differences, which takes far less space but
 * more time. If it is killed, the old packs still exist.
 */
export async function repack(dir: string, signal: AbortSignal): Promise<void> {
  const before = Number((await readFileIfExists(join(dir, wholeFile))) ?? Number.NaN);
  const isFew = (await packedBytes(dir)) < 1.5 * before + mib;
  const modest = [
    ...['pack.threads=1', 'pack.windowMemory=64m', 'pack.deltaCacheSize=32m'],
    'core.bigFileThreshold=16m',
  ];
  await git(
    [
      ...durable,
      ...modest.flatMap((setting) => ['-c', setting]),
      ...[
        'repack',
        '--quiet',
        '-d',
        '-l',
        '-n',
        ...(isFew ? ['--geometric=2'] : ['-a', '-k', '-f']),
      ],
    ],
    { dir, signal, timeoutMs: Number.POSITIVE_INFINITY },
  );
  if (!isFew) await writeFileAtomic(join(dir, wholeFile), `${await packedBytes(dir)}\n`);
}

async function packedBytes(dir: string): Promise<number> {
  const folder = join(dir, 'objects/pack');
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
