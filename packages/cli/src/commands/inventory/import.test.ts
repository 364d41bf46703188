import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '@skolo/base';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

async function imported(inventory: string, folder?: string) {
  const dir = await tempDir();
  const [from, rack] = [join(dir, 'hosts'), join(dir, 'rack.yaml')];
  await writeFile(from, inventory);
  if (folder !== undefined) await mkdir(join(dir, folder));
  const line = ['inventory', 'import', from, '--create', 'lab', '--rack', rack];
  const result = await runCommand(line);
  return { ...result, text: await ifThere(readFile(rack, 'utf8')) };
}

it('skolo inventory import names what it does not understand, and exits with 3', async () => {
  const { text, err, exitCode } = await imported(`[pis]
rpi-1 ansible_host=192.0.2.1
rpi-2 ansible_host=192.0.2.2:22 ansible_user=pi
rpi-3 ansible_host=192.0.2.3 ansible_user="{{ me }}"
rpi-4:2204 ansible_host=192.0.2.4
sw-1 ansible_host=192.0.2.5 ansible_network_os=ios
`);

  expect(text).toMatch(/ {2}rpi-4: \{ kind: rpi, address: 192\.0\.2\.4, port: 2204 \}\n$/);
  expect(text).not.toMatch(/rpi-[23]|sw-1/);
  expect(err).toMatch(/not imported: sw-1: it is network equipment; add it with --oxidized/);
  expect(err).toMatch(/not imported: \S+: rpi-2: ansible_host is a host name/);
  expect(err).toMatch(/not imported: \S+: rpi-3: the user is a template/);
  expect(exitCode).toBe(3);
});

it.each([
  ['no host is understood', 'rpi-1 ansible_port="{{ port }}"', undefined, /rpi-1: the port is a t/],
  ['variables are elsewhere', 'rpi-1 ansible_host=192.0.2.1', 'group_vars', /--list > list.json/],
])('skolo inventory import writes nothing if %s', async (_what, inventory, folder, why) => {
  const { text, err, exitCode } = await imported(`${inventory}\n`, folder);

  expect(err).toMatch(why);
  expect([text, exitCode]).toEqual([undefined, 1]);
});

it('skolo inventory import says what the jumphost loses', async () => {
  const { err, exitCode } = await imported('pi-0:2200 ansible_host=192.0.2.1\n');

  expect(err).toContain('not imported: user and port of pi-0; set them in ~/.ssh/config');
  expect(exitCode).toBe(0);
});
