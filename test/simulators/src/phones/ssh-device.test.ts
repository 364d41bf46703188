import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { peer } from '../peer.ts';
import { type SshDevice, startSshDevice } from './ssh-device.ts';

const run = promisify(execFile);

// One for all tests: it costs more than they do.
let device: SshDevice | undefined;
beforeAll(async () => {
  const files = { 'sys/class/x1/temp': '41000\n' };
  device = await startSshDevice({ rebootMs: 1, files });
});
afterAll(() => device?.close());

function use(context: TestContext) {
  const program = peer('ssh');
  if (program === undefined) return context.skip('ssh is not installed');
  if (!device) return context.skip('sshd is not installed');
  const { host, port, username, privateKeyFile, root, received } = device;
  received.splice(0);
  const known = ['-o', 'StrictHostKeyChecking=accept-new', '-o', 'LogLevel=ERROR'];
  const file = ['-o', `UserKnownHostsFile=${join(dirname(root), 'known_hosts')}`];
  const args = ['-F', 'none', '-T', '-o', 'BatchMode=yes', ...known, ...file];
  const to = ['-i', privateKeyFile, '-p', `${port}`, '-l', username, '--', host];
  const ssh = async (command: string, signal?: AbortSignal) => {
    const child = run(program, [...args, ...to, command], { signal });
    child.child.stdin?.end();
    return await child.then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
    );
  };
  return { device, ssh };
}

describe('a Chromebook behind sshd', () => {
  it('tells what it is, and how long it has been up', async (context) => {
    const { device, ssh } = use(context);

    const { stdout } = await ssh('cat /proc/uptime; cat /etc/lsb-release');

    expect(Number(stdout.split(' ')[0])).toBeGreaterThan(3600);
    expect(stdout).toContain('\nCHROMEOS_RELEASE_CHROME_MILESTONE=89\n');
    expect(device.received.map(({ text }) => text)).toEqual([
      'cat /proc/uptime; cat /etc/lsb-release',
    ]);
  });

  it('has its own files and none of this computer', async (context) => {
    const { device, ssh } = use(context);
    await device.write('sys/class/x2/temp', '42000\n');

    expect((await ssh('grep -H . /sys/class/x*/temp')).stdout).toBe(
      '/sys/class/x1/temp:41000\n/sys/class/x2/temp:42000\n',
    );
    expect(await ssh('cat /etc/passwd')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'cat: /etc/passwd: No such file or directory\n',
    });
  });

  it('reboots', async (context) => {
    const { device, ssh } = use(context);

    const before = device.boots;
    await ssh('reboot');
    await expect.poll(() => device.boots).toBe(before + 1);

    await expect.poll(async () => (await ssh('cat /proc/uptime')).status).toBe(0);
    expect(device.uptimeSeconds()).toBeLessThan(3600);
  });

  it.for([
    ['refuses', 255, 'Connection refused'],
    ['wrong-key', 255, 'Permission denied'],
    ['other-host-key', 255, 'Host key verification failed'],
    ['drops-mid-way', 255, ''],
    ['empty-answers', 0, ''],
  ] as const)('has the fault %s', async ([fault, status, why], context) => {
    const { device, ssh } = use(context);
    await ssh('true');

    await device.misbehave(fault);
    const bad = await ssh('cat /etc/lsb-release');
    await device.behave();

    expect(bad.status).toBe(status);
    expect(bad.stderr).toContain(why);
    expect(bad.stdout).not.toContain('GOOGLE_RELEASE');
    expect((await ssh('cat /etc/lsb-release')).stdout).toContain('GOOGLE_RELEASE');
  });

  it.for(['silent', 'hangs'] as const)('%s', async (fault, context) => {
    const { device, ssh } = use(context);
    await device.misbehave(fault);
    const patience = new AbortController();

    const never = ssh('true', patience.signal);
    if (fault === 'hangs') await expect.poll(() => device.received.length).toBe(1);
    patience.abort();
    await device.behave();

    expect((await never).status).toBe('ABORT_ERR');
  });

  it('ends lines as Windows does', async (context) => {
    const { device, ssh } = use(context);
    await device.write('etc/hostname', 'a\nb\n');
    await device.misbehave('crlf');

    const { stdout } = await ssh('cat /etc/hostname');
    await device.behave();

    expect(stdout).toBe('a\r\nb\r\n');
  });

  it('refuses to reboot', async (context) => {
    const { device, ssh } = use(context);
    const before = device.boots;
    await device.misbehave('reboot-rejected');

    const answer = await ssh('reboot');
    await device.behave();

    expect(answer).toEqual({ status: 1, stdout: '', stderr: 'reboot: must be superuser.\n' });
    expect(device.boots).toBe(before);
  });
});
