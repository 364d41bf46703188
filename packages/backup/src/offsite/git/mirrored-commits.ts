/** Reads the commits of a history that must be copied. */

import { GitFailed, git } from '../../git/git.ts';
import { type CommittedFiles, readCommits } from '../../history/commits.ts';
import { encrypted, folderOfDevices, isDeviceName } from '../../history/device-file.ts';
import { branch as mainBranch } from '../../history/folder.ts';

/** Commits of the history, oldest first: all, or those after a given one. */
export async function* commitsSince(
  history: string,
  since: string | undefined,
  signal: AbortSignal,
  branch = mainBranch,
): AsyncGenerator<CommittedFiles> {
  const after = since === undefined ? [] : [`^${since}`];
  const range = ['--reverse', branch, ...after, '--'];
  for await (const commit of readCommits(history, range, signal)) {
    yield { ...commit, files: commit.files.filter(isConfiguration) };
  }
}

function isConfiguration({ path, blob }: { path: string; blob: string }): boolean {
  const name = path.slice(folderOfDevices.length).replace(encrypted, '');
  return path.startsWith(folderOfDevices) && isDeviceName(name) && !/^0+$/.test(blob);
}

/** Whether the history's branch contains the commit. @throws GitFailed */
export async function isIn(history: string, id: string): Promise<boolean> {
  try {
    await git(['merge-base', '--is-ancestor', id, mainBranch], { dir: history });
    return true;
  } catch (error) {
    // git prints nothing for a commit of another branch, and this error for an unknown one.
    const isElsewhere =
      error instanceof GitFailed &&
      !error.isKilled &&
      (error.stderr === '' || /not a valid commit|bad object/i.test(error.stderr));
    if (isElsewhere) return false;
    throw error;
  }
}
