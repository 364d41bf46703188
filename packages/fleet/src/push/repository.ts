/** The racks repository, which contains kube/: a working tree of the person who pushes. */

import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorText, tempFolder, withDeadline } from '@skolo/base';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { type ProgramOptions, runToEnd } from '../program.ts';

export interface Repository {
  root: string;
  /** Of the commit that is checked out. */
  head: string;
  /** Directory of kube/ in it. */
  kube: string;
}

/**
 * The repository that contains a list of racks.
 *
 * @param clusters path of kube/clusters/config.json
 * @throws FleetError It is not in git, or has uncommitted changes.
 */
export async function openRepository(
  clusters: string,
  signal: AbortSignal,
  { mayBeDirty = false }: { mayBeDirty?: boolean } = {},
): Promise<Repository> {
  const kube = dirname(dirname(clusters));
  const root = await git(kube, ['rev-parse', '--show-toplevel'], { signal }).catch((cause) => {
    if (!errorText(cause).includes('not a git repository')) throw cause;
    const how =
      'run this command in a clone of the racks repository, or specify it with --clusters';
    throw new FleetError(`${kube}: not in a git repository; ${how}`, { cause });
  });
  const head = await git(root, ['rev-parse', 'HEAD'], { signal });
  if (mayBeDirty) return { root, head, kube };
  const dirty = await git(
    root,
    ['status', '--porcelain', '--untracked-files=all', '--', relative(root, kube) || '.'],
    { signal },
  );
  if (dirty !== '') {
    const files = dirty.split('\n').map((line) => line.trim().replace(/^\S+\s+/, ''));
    const more = files.length > 3 ? ` and ${files.length - 3} more` : '';
    throw new FleetError(
      `${root}: ${files.slice(0, 3).join(', ')}${more}: uncommitted changes; commit or stash them first`,
    );
  }
  return { root, head, kube };
}

/**
 * Whether the checked-out commit includes another one.
 *
 * @returns false even for a commit that this clone does not contain
 */
export async function contains(
  { root, head }: Repository,
  commit: string,
  signal: AbortSignal,
): Promise<boolean> {
  return git(root, ['merge-base', '--is-ancestor', commit, head], { signal }).then(
    () => true,
    () => false,
  );
}

/** Files below this path that differ between an earlier commit and the one that is checked out. */
export async function changedSince(
  { root, head }: Repository,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<string[]> {
  const text = await git(root, ['diff', '--name-only', commit, head, '--', path], { signal });
  return text === '' ? [] : text.split('\n');
}

/**
 * Calls `work` with a copy of kube/ from the commit.
 *
 * @param work receives the directory of the copy
 */
export async function withCopy<T>(
  { root, head, kube }: Repository,
  signal: AbortSignal,
  work: (kube: string) => Promise<T>,
): Promise<T> {
  await using temp = await tempFolder('skolo-push-');
  const folder = temp.path;
  const archive = join(folder, 'kube.tar');
  const path = relative(root, kube);
  await git(root, ['archive', '--output', archive, head, ...(path === '' ? [] : [path])], {
    signal,
  });
  await run('tar', ['-xf', archive, '-C', folder], folder, { signal });
  return await work(join(folder, path));
}

/**
 * Commits a file with a new text. Does nothing if it already has that text.
 *
 * @returns the commit that contains it
 */
export async function commitFile(
  { root }: Repository,
  { file, edit, message }: { file: string; edit(text: string): string; message: string },
): Promise<string> {
  const text = await readFile(file, 'utf8');
  const edited = edit(text);
  if (edited !== text) await writeFile(file, edited);
  const path = relative(root, file);
  // Killed between writing and committing: it was written but not committed.
  if ((await git(root, ['status', '--porcelain', '--', path], {})) !== '') {
    await git(root, ['commit', '--quiet', '--file', '-', '--only', '--', path], { input: message });
  }
  return await git(root, ['rev-parse', 'HEAD'], {});
}

/** Pushes commits to the branch's upstream. @returns why it failed; undefined if it succeeded or has no upstream */
export async function sendCommits(
  { root }: Repository,
  signal: AbortSignal,
): Promise<string | undefined> {
  const upstream = await git(root, ['rev-parse', '--abbrev-ref', '@{upstream}'], { signal }).catch(
    () => '',
  );
  if (upstream === '') return undefined;
  return await git(root, ['push', '--quiet'], { signal }).then(() => undefined, errorText);
}

const Pushed = z.object({
  id: z.string(),
  rack: z.string(),
  by: z.string(),
  at: z.string(),
  commit: z.string(),
  /** `metadata-server 2026-11-20T22_40_05Z-ann-295cca0-clean` */
  versions: z.string(),
  why: z.string(),
});
type Pushed = z.infer<typeof Pushed>;

/** Successful pushes by anybody that changed versions, newest first. */
export async function pushesInGit(
  { root }: Repository,
  limit: number,
  signal: AbortSignal,
): Promise<Pushed[]> {
  const format = '%H%x00%cI%x00%an <%ae>%x00%B%x01';
  const args = ['log', '--grep=^Push: ', `--max-count=${limit}`, `--format=${format}`];
  const text = await git(root, args, { signal });
  return text.split('\x01').flatMap((entry) => {
    const [commit, at, by, message = ''] = entry.trim().split('\0');
    const [subject = '', why = ''] = message.split('\n\n');
    const [, rack, versions] = /^push\(([\w.-]+)\): (.*)$/.exec(subject) ?? [];
    const id = /^Push: (.+)$/m.exec(message)?.[1];
    return Pushed.safeParse({ id, rack, by, at, commit, versions, why: why.trim() }).data ?? [];
  });
}

/** Who commits: `Ann <ann@example.com>`. */
export async function authorOf({ root }: Repository, signal: AbortSignal): Promise<string> {
  const text = await git(root, ['var', 'GIT_COMMITTER_IDENT'], { signal });
  return text.replace(/ \d+ [+-]\d+$/, '');
}

/** @throws FleetError */
async function git(cwd: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  return (await run('git', args, cwd, options)).trim();
}

const deadlineMs = 60_000;

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  { signal, ...given }: ProgramOptions,
): Promise<string> {
  const what = `${command} ${args[0]}`;
  const late = () => new FleetError(`${what}: did not finish within ${deadlineMs / 1000} s`);
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  // In its own process group, so that Ctrl-C in the terminal stops only the push, which then decides.
  const start = () => spawn(command, args, { cwd, env, detached: true });
  const { code, stdout, stderr } = await withDeadline({ ms: deadlineMs, late, signal }, (stop) =>
    runToEnd(start, { ...given, signal: stop }),
  );
  if (code === 0) return stdout;
  throw new FleetError(`${cwd}: ${what}: ${errorText(new Error(stderr.trim()))}`);
}
