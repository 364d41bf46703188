/** Installs a commit hook that runs the check for unencrypted secrets. */
import { chmod } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { StoreError } from '../errors.ts';
import { type GitDeps, git } from './git.ts';

const script = `#!/bin/sh
# Created by \`skolo secrets verify --install-hook\`.
command -v skolo > /dev/null && exec skolo secrets verify
exec npx --no-install skolo secrets verify
`;

/**
 * Installs it in this clone.
 *
 * @returns its path
 * @throws StoreError Another hook exists.
 */
export async function installHook(deps: GitDeps): Promise<string> {
  const said = (await git(deps, ['rev-parse', '--git-path', 'hooks'])).toString().trimEnd();
  const folder = isAbsolute(said) ? said : join(deps.folder, said);
  const path = join(folder, 'pre-commit');
  const previous = await readFileIfExists(path);
  if (previous !== undefined && previous !== script) {
    throw new StoreError(
      `${path} already exists and was not created by skolo; add the line \`skolo secrets verify || exit 1\` to it`,
    );
  }
  await makeFolder(folder, 0o755);
  await writeFileAtomic(path, script, { mode: 0o755 });
  await chmod(path, 0o755);
  return path;
}
