import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { quietLog } from '../testing/quiet-log.ts';
import { rebootMachine } from './reboot.ts';

interface Place {
  /** The program of process 1. */
  first: string;
  isContainer: boolean;
  status?: number;
  hasTrigger?: boolean;
}

/** A /proc of a test, and what would be run. */
async function start({ first, isContainer, status = 0, hasTrigger = true }: Place) {
  const proc = await tempDir();
  await mkdir(join(proc, '1/ns'), { recursive: true });
  await mkdir(join(proc, 'self/ns'), { recursive: true });
  await writeFile(join(proc, '1/comm'), `${first}\n`);
  await symlink('mnt:[1]', join(proc, '1/ns/mnt'));
  await symlink(isContainer ? 'mnt:[2]' : 'mnt:[1]', join(proc, 'self/ns/mnt'));
  if (hasTrigger) await writeFile(join(proc, 'sysrq-trigger'), '');
  else await mkdir(join(proc, 'sysrq-trigger'));
  const commands: string[] = [];
  const reboot = () =>
    rebootMachine('asked for', {
      proc,
      log: quietLog(),
      sysrqPauseMs: 1,
      run: async (file, args) => {
        commands.push([file, ...args].join(' '));
        return { status, stdout: '', stderr: 'no\n' };
      },
    });
  return { reboot, commands, sysrq: () => readFile(join(proc, 'sysrq-trigger'), 'utf8') };
}

describe('a reboot of the machine', () => {
  it('is asked of its systemd', async () => {
    const { reboot, commands, sysrq } = await start({ first: 'systemd', isContainer: false });

    await reboot();

    expect(commands).toEqual(['/sbin/shutdown -r now']);
    expect(await sysrq()).toBe('');
  });

  it('is asked of the host’s systemd from a container', async () => {
    const { reboot, commands } = await start({ first: 'systemd', isContainer: true });

    await reboot();

    expect(commands).toEqual([
      'nsenter --target 1 --mount --uts --ipc --net --pid -- /sbin/shutdown -r now',
    ]);
  });

  it.each([
    { title: 'there is no systemd', first: 'node', isContainer: false, ran: 0 },
    { title: 'systemd does not', first: 'systemd', isContainer: true, status: 1, ran: 1 },
  ])('is done by the kernel where $title', async ({ ran, ...place }) => {
    const { reboot, commands, sysrq } = await start(place);

    await reboot();

    expect(commands).toHaveLength(ran);
    expect(await sysrq()).toBe('sub');
  });

  it('that is not possible has the reason', async () => {
    const place = { first: 'systemd', isContainer: false, status: 1, hasTrigger: false };
    const { reboot } = await start(place);

    await expect(reboot()).rejects.toThrow(
      /the agent could not reboot the machine: \/sbin\/shutdown failed with status 1: no; sysrq: /,
    );
  });
});
