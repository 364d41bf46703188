import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { noNamespaces } from '@skolo/fleet/testing';
import type { Host } from '@skolo/setup/engine';
import { expect, it } from 'vitest';
import { placeStep, userStep } from './person.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ann@desk';

/** Runs scripts here, for a user whose home is a folder; what only root may do does nothing. */
async function startPi(authorizedKeys: string) {
  const dir = await tempDir();
  const programs = {
    getent: `echo "pi:x:1000:1000::${dir}:/bin/bash"`,
    sudo: 'echo "NOPASSWD: ALL"',
    stat: 'echo "600 pi"',
    install: `mkdir -p ${dir}/.ssh`,
    id: 'echo pi',
    chown: ':',
  };
  await mkdir(join(dir, 'bin'));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  await mkdir(join(dir, '.ssh'));
  const file = join(dir, '.ssh/authorized_keys');
  await writeFile(file, authorizedKeys);
  const env = { ...process.env, PATH: `${dir}/bin:${process.env.PATH}` };
  const host = {
    need: async (script: string) => (await run('sh', ['-c', script], { env })).stdout,
    write: async () => undefined,
  } as unknown as Host;
  return { host, keys: () => readFile(file, 'utf8') };
}

it('does not take a key that is a comment for one that gets in', async () => {
  const { host, keys } = await startPi(`# ${key}`);
  const step = userStep({ user: { name: 'pi', keys: [key] } });

  expect((await step.check(host)).differs).toEqual([
    expect.stringContaining('a key is not in authorized_keys: ssh-ed25519'),
  ]);
  await step.apply?.(host);

  expect(await keys()).toBe(`# ${key}\n${key}\n`);
  expect((await step.check(host)).differs).toEqual([]);
  await step.apply?.(host);
  expect(await keys()).toBe(`# ${key}\n${key}\n`);
});

it.skipIf(noNamespaces)('sets the time zone, the keyboard and the language', async () => {
  const etc = await tempDir();
  await mkdir(join(etc, 'default'));
  const inNamespace = ['--mount', 'sh', '-ec', `mount --bind ${etc} /etc; exec sh -c "$0"`];
  const host = {
    need: async (script: string) => (await run('unshare', [...inNamespace, script])).stdout,
  } as unknown as Host;
  const step = placeStep({ timezone: 'Antarctica/Troll', keyboard: 'no', locale: 'C.UTF-8' });

  const before = (await step.check(host)).differs;
  await step.apply?.(host);

  expect(before).toEqual([
    'the time zone is /etc/localtime',
    'the keyboard is not set',
    'the language is not set',
  ]);
  expect((await step.check(host)).differs).toEqual([]);
});
