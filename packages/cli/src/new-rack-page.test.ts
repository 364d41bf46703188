import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { expect, it } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const kubectl = peer('kubectl');

it('leads from the overlay of another rack to one of its own', async () => {
  const home = await tempDir();
  const clone = join(home, 'clone');
  await cp(join(repository, 'kube'), join(clone, 'kube'), { recursive: true });
  const env = await personalComputer(home);
  const git = (...args: string[]) => run('git', args, { cwd: clone, env });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '--message=all');

  await run('sh', ['-euc', await printed()], { cwd: clone, env });

  const overlay = join(clone, 'kube/racks/rack5');
  expect(await readFile(join(overlay, 'rack.yaml'), 'utf8')).not.toContain('rack4');
  const tag = /newTag: (\S+)/.exec(
    await readFile(join(overlay, 'kustomization.yaml'), 'utf8'),
  )?.[1];
  expect(tag).toMatch(/^\d{4}-\d\d-\d\dT\d\d_\d\d_\d\dZ-\w+-[0-9a-f]{7}-clean$/);
  expect((await git('status', '--porcelain')).stdout).toBe('');
  const file = ['--rack', join(overlay, 'rack.yaml')];
  await run('npx', ['skolo', 'check', 'rack', ...file], { cwd: clone, env });
  await run('npx', ['skolo', 'rack', 'render', '--check', ...file], { cwd: clone, env });
  expect(await readFile(join(clone, 'kube/clusters/config.json'), 'utf8')).toContain('"rack5"');
  expect(await readFile(join(home, 'written-down'), 'utf8')).toBe(
    'npm ci\ndocker buildx bake --push\n' +
      'npm run bundle -- metadata-server power-cycle-daemon router-backup fallback\n' +
      'skolo jumphost prepare rack5\n',
  );
  if (kubectl === undefined) return;
  const { stdout: objects } = await run(kubectl, ['kustomize', overlay], {
    env,
    maxBuffer: 64 * 2 ** 20,
  });
  expect(objects).toContain(`image: registry.example.com/skolo/metadata-server:${tag}`);
});

async function printed(): Promise<string> {
  const page = await readFile(join(repository, 'docs/adopt/new-rack.md'), 'utf8');
  const [, block = ''] = /```sh\n(export RACK[\s\S]*?)```/.exec(page) ?? [];
  expect(block).toContain('jumphost prepare');
  return block;
}

/** With the command, git and kubectl; the other programs only record their calls. */
async function personalComputer(home: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(home, 'bin');
  await mkdir(bin);
  const note = (words: string) => `echo "${words}" >> '${join(home, 'written-down')}'`;
  const main = join(repository, 'packages/cli/src/main.ts');
  const programs = {
    npm: note('npm $*'),
    docker: note('docker $*'),
    editor: 'exit 0',
    npx: `case "$*" in "skolo jumphost prepare"*) ${note('$*')}; exit 0 ;; esac
shift
exec '${process.execPath}' '${main}' "$@"`,
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const who = { GIT_AUTHOR_NAME: 'ann', GIT_AUTHOR_EMAIL: 'ann@example.com' };
  const { GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL } = who;
  const committer = { GIT_COMMITTER_NAME: GIT_AUTHOR_NAME, GIT_COMMITTER_EMAIL: GIT_AUTHOR_EMAIL };
  return {
    ...who,
    ...committer,
    HOME: home,
    EDITOR: 'editor',
    TERM: 'dumb',
    PATH: `${bin}:${process.env.PATH}`,
  };
}
