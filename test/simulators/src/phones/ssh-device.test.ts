import { dirname, join } from 'node:path';
import { run } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { peer } from '../peer.ts';
import { startSshDevice } from './ssh-device.ts';

it('a Chromebook behind sshd has its own files and none of this computer', async (context) => {
  const program = peer('ssh') ?? context.skip('ssh is not installed');
  const files = { 'sys/class/x1/temp': '41000\n' };
  const device = (await startSshDevice({ files })) ?? context.skip('sshd is not installed');
  onTestFinished(() => device.close());
  const { host, port, username, privateKeyFile, root } = device;
  const known = ['-o', 'StrictHostKeyChecking=accept-new', '-o', 'LogLevel=ERROR'];
  const file = ['-o', `UserKnownHostsFile=${join(dirname(root), 'known_hosts')}`];
  const args = ['-F', 'none', '-n', '-T', '-o', 'BatchMode=yes', ...known, ...file];
  const to = ['-i', privateKeyFile, '-p', `${port}`, '-l', username, '--', host];
  await device.write('sys/class/x2/temp', '42000\n');

  const ssh = (command: string) => run(program, [...args, ...to, command]);

  expect((await ssh('grep -H . /sys/class/x*/temp')).stdout).toBe(
    '/sys/class/x1/temp:41000\n/sys/class/x2/temp:42000\n',
  );
  await expect(ssh('cat /etc/passwd')).rejects.toMatchObject({
    code: 1,
    stderr: 'cat: /etc/passwd: No such file or directory\n',
  });
});
