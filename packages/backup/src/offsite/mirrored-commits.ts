/** Reads the commits of a history that are to be copied. */
import { encrypted, folderOfDevices, isDeviceName } from '../device-file.ts';
import { GitFailed, git, startGit } from '../git.ts';
import { zeroSeparated } from '../history.ts';
import { branch as mainBranch } from '../repository-folder.ts';

export interface Mirrored {
  id: string;
  committedAt: number;
  message: string;
  files: { path: string; blob: string }[];
}

/** Commits of the history, the oldest first: all of them, or those after one that it has. */
export async function* commitsSince(
  history: string,
  since: string | undefined,
  signal: AbortSignal,
  branch = mainBranch,
): AsyncGenerator<Mirrored> {
  const range = since !== undefined ? [`^${since}`] : [];
  const stopping = new AbortController();
  signal.throwIfAborted();
  const either = AbortSignal.any([signal, stopping.signal]);
  const log = startGit(
    [
      'log',
      '-z',
      '--reverse',
      '--raw',
      '--no-abbrev',
      '--no-renames',
      '--no-ext-diff',
      '--format=%H%x00%ct%x00%B',
      branch,
      ...range,
      '--',
    ],
    { dir: history, signal: either, timeoutMs: Number.POSITIVE_INFINITY },
  );
  log.stdin.end();
  const fields = zeroSeparated(log.stdout);
  const next = async () => String((await fields.next()).value ?? '');
  try {
    let commit: Mirrored | undefined;
    for await (const field of fields) {
      const text = field.replace(/^\n/, '');
      if (!text.startsWith(':')) {
        if (commit) yield commit;
        commit = { id: text, committedAt: Number(await next()), message: await next(), files: [] };
        continue;
      }
      const [, , , blob = ''] = text.split(' ');
      const path = await next();
      const name = path.slice(folderOfDevices.length).replace(encrypted, '');
      const isOurs = path.startsWith(folderOfDevices) && isDeviceName(name);
      if (isOurs && !/^0+$/.test(blob)) commit?.files.push({ path, blob });
    }
    if (commit) yield commit;
    await log.ended;
  } finally {
    // Whoever has had enough of it does not read the rest.
    stopping.abort();
  }
}

/** Whether the branch of the history has the commit. @throws GitFailed It cannot be told. */
export async function isIn(history: string, id: string): Promise<boolean> {
  try {
    await git(['merge-base', '--is-ancestor', id, mainBranch], { dir: history });
    return true;
  } catch (error) {
    // Git says nothing to a commit of another branch, and this to one that it does not know.
    const isElsewhere =
      error instanceof GitFailed &&
      !error.isKilled &&
      (error.stderr === '' || /not a valid commit|bad object/i.test(error.stderr));
    if (isElsewhere) return false;
    throw error;
  }
}
