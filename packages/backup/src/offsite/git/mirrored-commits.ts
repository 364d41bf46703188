/** Reads the commits of a history that are to be copied. */

import { GitFailed, git } from '../../git/git.ts';
import { type CommittedFiles, readCommits } from '../../history/commits.ts';
import { encrypted, folderOfDevices, isDeviceName } from '../../history/device-file.ts';
import { branch as mainBranch } from '../../history/folder.ts';

/** Commits of the history, the oldest first: all of them, or those after one that it has. */
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

/** Whether the branch of the history has the commit. @throws GitFailed */
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
