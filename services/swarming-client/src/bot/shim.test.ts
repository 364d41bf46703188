import { execFile } from 'node:child_process';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { isAlive, newBot } from './testing/new-bot.ts';
import { bots } from './testing/stub-bot.ts';

/** As the real bot asks for a reboot: both commands, whatever the first one says, and then it waits. */
const reboot = `import subprocess
signal.signal(signal.SIGTERM, signal.SIG_DFL)
runs = len([name for name in os.listdir('.') if name.startswith('run')])
write('run%d' % runs, '')
if runs == 0:
    status = [subprocess.call(['sudo', '-n', '/sbin/shutdown', '-r', 'now']),
        subprocess.call(['sudo', '-n', '/sbin/reboot', '-f'])]
    write('status', status)
    time.sleep(600)
is_stopped = []
signal.signal(signal.SIGTERM, lambda *_: is_stopped.append(1))
${bots.idle}`;

describe.skipIf(lacks('python3'))('a bot that asks for a reboot', () => {
  it('is started again', async () => {
    await using test = await newBot({ zip: { body: reboot } });

    test.start();

    await expect.poll(() => test.bot.view()).toMatchObject({ state: 'running', starts: 2 });
    expect(test.exits).toEqual(['rebooted']);
    expect(test.read('status')).toBeUndefined();
  });

  it('has the agent reboot the machine, once, where the settings say so', async () => {
    await using test = await newBot({ zip: { body: reboot } }, { reboot: 'host' });

    test.start();
    await expect.poll(() => test.read('status')).toBe('[0, 0]');

    await expect.poll(() => test.reboots).toEqual(['requested by the Swarming bot']);
    expect(test.bot.view()).toMatchObject({ state: 'running', starts: 1 });
  });

  it('is rejected, where the settings say so', async () => {
    await using test = await newBot({ zip: { body: reboot } }, { reboot: 'reject' });

    test.start();
    await expect.poll(() => test.read('status')).toBe('[1, 1]');

    expect(test.bot.view()).toMatchObject({ state: 'running', starts: 1 });
    await expect
      .poll(() => test.lines.map(({ text }) => text).join())
      .toContain('the settings of this machine do not allow a reboot');
  });

  it('is not ended by what its tasks ask for', async () => {
    const body = `import subprocess
subprocess.call(['sh', '-c', 'sudo -n /sbin/reboot -f; echo $? > asked; :'])
${bots.idle}`;
    const folder = await tempDir();
    await using test = await newBot({
      zip: { body },
      env: { ...process.env, PATH: await without(folder) },
    });

    test.start();
    await expect.poll(() => test.read('asked')).toBe('127\n');

    expect(isAlive(test.bot.view().pid ?? 0)).toBe(true);
    // Its output arrives by another way than the file.
    await expect
      .poll(() => test.lines.map(({ text }) => text))
      .toContain('sudo: there is none on this machine');
  });
});

/** A PATH with all that a shell needs, and no sudo. */
async function without(folder: string): Promise<string> {
  for (const name of ['sh', 'dirname', 'tr', 'grep', 'sed', 'env']) {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `command -v ${name}`]);
    await symlink(stdout.trim(), join(folder, name));
  }
  return folder;
}

describe('sudo in the image', () => {
  const shim = fileURLToPath(new URL('../../shim', import.meta.url));

  it.each([
    [['-n', '/sbin/shutdown', '-r', 'now']],
    [['-n', '/sbin/reboot', '-f']],
    [['-n', '/sbin/shutdown -r now']],
    [['-u', 'root', 'id', '*', 'a b', '']],
    [[]],
  ])('gives %j to the real one when it is not the bot that asks', async (args) => {
    const folder = await tempDir();
    const real = join(folder, 'sudo');
    await writeFile(real, '#!/bin/sh\nprintf "<%s>" "$@"\nexit 7\n');
    await chmod(real, 0o755);

    const asked = promisify(execFile)(join(shim, 'sudo'), args, {
      env: {
        PATH: `${shim}:${shim}/.:/nowhere::${folder}:/usr/bin:/bin`,
        SKOLO_REBOOT: 'restart-bot',
      },
      cwd: folder,
    });

    await expect(asked).rejects.toMatchObject({
      code: 7,
      stdout: args.length === 0 ? '<>' : args.map((arg) => `<${arg}>`).join(''),
    });
  });
});
