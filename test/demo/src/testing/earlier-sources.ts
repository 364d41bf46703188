/** The sources of an earlier release, from git. They run with this version's third-party packages. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { root } from '../folder/folders.ts';

/** Undefined if this clone lacks the commit that added the release to CHANGELOG.md. */
export async function commitOf(version: string): Promise<string | undefined> {
  const args = ['log', '--format=%H', `-S## ${version} (`, '--', 'CHANGELOG.md'];
  const { stdout } = await run('git', args, { cwd: root }).catch(() => ({ stdout: '' }));
  return stdout.trim().split('\n').at(-1) || undefined;
}

/** @returns the directory, which is removed when the test ends */
export async function sourcesAt(commit: string): Promise<string> {
  const folder = await tempDir();
  const unpack = 'git archive "$1" | tar -x -C "$2"';
  await run('sh', ['-c', unpack, 'sh', commit, folder], { cwd: root });
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@skolo'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name !== '@skolo') await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  for (const part of ['packages', 'services', 'test']) {
    for (const name of await readdir(join(folder, part))) {
      const path = join(folder, part, name);
      if (!existsSync(join(path, 'package.json'))) continue;
      await symlink(path, join(modules, '@skolo', name));
    }
  }
  return folder;
}
