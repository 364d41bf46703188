/** The targets of `skolo jumphost image` and `stick`. */
import { lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

it('writes an image neither to a device nor into a folder of devices', async () => {
  const folder = await tempDir();
  await symlink('/dev/null', join(folder, 'linked.img'));
  await symlink('/dev', join(folder, 'devices'));
  const before = await readdir('/dev');

  for (const file of [
    '/dev/null',
    '/dev/no-such-disk',
    folder,
    `${folder}/linked.img`,
    `${folder}/devices/x.img`,
  ]) {
    const { err, exitCode } = await runCommand(['jumphost', 'image', file]);

    expect(err).toContain(`${file}: not a regular file; specify a file such as jumphost.img`);
    expect(exitCode).toBe(2);
  }
  expect(await readdir('/dev')).toEqual(before);
  expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
});

it('writes an identity only to a stick', async () => {
  const folder = await tempDir();
  const overlay = join(folder, 'kube/racks/rack4');
  await mkdir(overlay, { recursive: true });
  await mkdir(join(folder, 'kube/clusters'));
  const rack = { type: 'k3s', context_name: 'rack4', jumphost: 'jumphost-rack4', port: 6442 };
  const clusters = join(folder, 'kube/clusters/config.json');
  const racks = {
    gitdir: folder,
    repo: 'https://git.example.com/racks.git',
    clusters: { rack4: rack },
  };
  await writeFile(clusters, JSON.stringify(racks));
  await writeFile(
    join(overlay, 'rack.yaml'),
    `rack: rack4
timezone: UTC
network: { subnet: 192.0.2.0/24 }
jumphost: { name: jumphost-rack4, address: 192.0.2.8 }
`,
  );
  const key = join(folder, 'id.pub');
  await writeFile(key, `ssh-ed25519 ${'A'.repeat(68)} ann\n`);
  const stick = (to: string) =>
    runCommand(['jumphost', 'stick', 'rack4', to, '--key', key, '--clusters', clusters]);

  const here = await stick(folder);
  const none = await stick(join(folder, 'none'));
  const memory = await stick('/proc');

  expect(here.err).toContain(`${folder}: this directory is not on a stick`);
  expect(none.err).toContain('no such directory; connect the stick and mount it');
  expect(memory.err).toContain("/proc: the stick's file system is neither FAT nor exFAT");
  expect(await readdir(folder)).toEqual(['id.pub', 'kube']);
});
