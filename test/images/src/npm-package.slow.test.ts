import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '@skolo/base/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { shipped } from '../../../packages/cli/src/shipped.ts';
import { version } from './bundles.ts';
import { root } from './paths.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-npm-package-'));
  await cp(join(inject('bundles').dir, 'cli'), join(dir, 'cli'), { recursive: true });
  await copyFile(join(root, 'racks/demo/rack.yaml'), join(dir, 'rack.yaml'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function listOf(clusters: object): string {
  return JSON.stringify({ gitdir: '~/racks', repo: 'https://git.example.com/r.git', clusters });
}

/** It needs Node, and nothing else. */
const env = { PATH: dirname(process.execPath) };

describe('the package of npm', () => {
  const skolo = (...args: string[]) => run(join(dir, 'prefix/bin/skolo'), args, { cwd: dir, env });

  beforeAll(async () => {
    const packed = join(dir, 'cli/opt/skolo/packages/cli');
    await run('npm', ['pack', '--silent', '--pack-destination', dir], { cwd: packed });
    const install = ['install', '--global', '--offline', '--prefix', join(dir, 'prefix')];
    await run('npm', [...install, `skolo-cli-${version}.tgz`], { cwd: dir });
  });

  it('installs the command, and nothing else', async () => {
    expect((await skolo('--version')).stdout).toBe(`${version}\n`);
    const installed = join(dir, 'prefix/lib/node_modules/@skolo/cli/package.json');
    expect(JSON.parse(await readFile(installed, 'utf8'))).toMatchObject({ name: '@skolo/cli' });
  });

  it('has all commands', async () => {
    const help = (await skolo('--help')).stdout;
    const nouns = [...help.matchAll(/^ {2}([a-z]+) (?= )/gm)].map(([, noun = '']) => noun);
    expect(nouns).toContain('machine');

    for (const noun of nouns) {
      expect(nouns).toContain(noun);
      expect((await skolo(noun, '--help')).stdout).toContain(`skolo ${noun}`);
    }
    const { stdout } = await skolo('--rack', 'rack.yaml', 'check', 'rack');
    expect(stdout).toMatch(/^demo: \d+ machines, .*no problems/m);
  });

  it('contains the files of the repository that its commands need', async () => {
    const installed = join(dir, 'prefix/lib/node_modules/@skolo/cli');

    for (const path of shipped) {
      const { stdout } = await run('diff', ['-r', join(root, path), join(installed, path)]);
      expect(stdout).toBe('');
    }
  });

  it.each([
    [
      'jumphost prepare rack4',
      'kube/racks/rack4/rack.yaml: no such file; run this command in a clone',
    ],
    ['jumphost image image.img', 'deploy: no such directory; run this command in a clone'],
    ['machine join rpi-007', 'no rack.yaml found for rack4; run this command in a clone'],
    [
      'machine list --on rack4',
      'rack.yaml: no such file; check --rack or SKOLO_RACK; --on requires a clone',
    ],
    [
      'push --racks rack4 --reason why',
      'kube: not in a git repository; run this command in a clone',
    ],
    ['racks add rack9 --like rack4', 'racks/rack4: no such overlay; run this command in a clone'],
    [
      'images pin kube/base',
      'kube/base: no such file or directory; specify directories of a clone',
    ],
  ])('names the clone if it lacks files: skolo %s', async (line, message) => {
    const folder = await mkdtemp(join(dir, 'empty-'));
    const rack4 = { type: 'k3s', context_name: 'rack4', jumphost: 'jumphost-rack4', port: 6442 };
    await mkdir(join(folder, 'kube/clusters'), { recursive: true });
    await writeFile(join(folder, 'kube/clusters/config.json'), listOf({ rack4 }));

    const args = line.split(' ');

    const program = join(dir, 'prefix/bin/skolo');
    const withGit = { PATH: `${env.PATH}:${process.env.PATH}` };
    await expect(run(program, args, { cwd: folder, env: withGit })).rejects.toMatchObject({
      stderr: expect.stringContaining(message),
    });
  });

  it('ends with the status of the command', async () => {
    await expect(skolo('rack', 'chekc')).rejects.toMatchObject({ code: 2 });
    await expect(skolo('--rack', 'none.yaml', 'check', 'rack')).rejects.toMatchObject({ code: 78 });
  });
});
