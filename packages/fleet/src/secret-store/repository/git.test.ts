import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { filesInGit } from './git.ts';

it('files are in git when they are committed as they are on the disk', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-git-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const run = (...args: string[]) => execFileSync('git', ['-C', dir, ...args], { stdio: 'pipe' });
  const deps = { env: process.env, signal: new AbortController().signal };
  const files = [join(dir, 'a'), join(dir, 'b')];
  run('init', '-q');
  run('config', 'user.email', 'ann@example.com');
  run('config', 'user.name', 'ann');
  for (const file of files) await writeFile(file, 'one');
  run('add', 'a');

  expect(await filesInGit([], deps)).toBe(true);
  expect(await filesInGit(files, deps)).toBe(false);
  run('commit', '-qm', 'a');
  expect(await filesInGit(files.slice(0, 1), deps)).toBe(true);
  expect(await filesInGit(files, deps)).toBe(false);
  await writeFile(join(dir, 'a'), 'two');
  expect(await filesInGit(files.slice(0, 1), deps)).toBe(false);
  await writeFile(join(dir, '.gitignore'), 'b\n');
  expect(await filesInGit(files.slice(1), deps)).toBe(false);
});
