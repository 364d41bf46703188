/** Installs a commit hook that runs the check for unencrypted secrets. */
import { chmod } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { StoreError } from '../errors.ts';
import { type GitDeps, git } from './git.ts';

/** Of this version's hook and of earlier ones. */
const mark = '# Created by `skolo ';
const script = `#!/bin/sh
${mark}check secrets --install-hook\`.
command -v skolo > /dev/null && exec skolo check secrets
exec npx --no-install skolo check secrets
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
  if (previous?.includes(mark) === false) {
    throw new StoreError(
      `${path} already exists and was not created by skolo; add the line \`skolo check secrets || exit 1\` to it`,
    );
  }
  await makeFolder(folder, 0o755);
  await writeFileAtomic(path, script, { mode: 0o755 });
  await chmod(path, 0o755);
  return path;
}
