/**
 * Reboots the machine. On a bare one systemd is asked; from a container that sees the processes of its host, the host's
 * systemd; and where neither is there or does it, the kernel (Documentation/admin-guide/sysrq.rst: sync, remount read-only,
 * reboot at once).
 */
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger, pause } from '@skolo/common/light';
import type { RunCommand } from '../run-command.ts';

export interface RebootDeps {
  run: RunCommand;
  /** Where processes are seen: /proc. There is no default, so that no test reboots its machine. */
  proc: string;
  log: Pick<Logger, 'warn'>;
  /** How long `s` and `u` have to take effect. */
  sysrqPauseMs?: number;
}

const shutdown = ['/sbin/shutdown', '-r', 'now'];
/** All namespaces of process 1 that a reboot needs. */
const enterHost = ['nsenter', '--target', '1', '--mount', '--uts', '--ipc', '--net', '--pid', '--'];
const timeoutMs = 30_000;

/** Fulfilled when the machine has been told; it will be gone soon. @throws Error Nothing worked, and why. */
export async function rebootMachine(why: string, deps: RebootDeps): Promise<void> {
  const failed: string[] = [];
  const command = await commandFor(deps.proc);
  if (command !== undefined) {
    deps.log.warn({ why, command }, 'the machine reboots');
    const problem = await failureOf(command, deps);
    if (problem === undefined) return;
    failed.push(problem);
  }
  try {
    deps.log.warn({ why, failed }, 'the machine reboots by its kernel');
    const trigger = join(deps.proc, 'sysrq-trigger');
    for (const key of ['s', 'u']) {
      await writeFile(trigger, key, { flag: 'a' });
      await pause(deps.sysrqPauseMs ?? 3000);
    }
    await writeFile(trigger, 'b', { flag: 'a' });
  } catch (error) {
    failed.push(`sysrq: ${errorText(error)}`);
    throw new Error(`the machine cannot be rebooted from here: ${failed.join('; ')}`);
  }
}

/** Undefined: process 1 is no systemd. */
async function commandFor(proc: string): Promise<[string, ...string[]] | undefined> {
  const [first, own, name] = await Promise.all([
    readlink(join(proc, '1/ns/mnt')).catch(() => undefined),
    readlink(join(proc, 'self/ns/mnt')).catch(() => undefined),
    readFile(join(proc, '1/comm'), 'utf8').catch(() => ''),
  ]);
  if (name.trim() !== 'systemd') return undefined;
  const [file = '', ...args] = first === own ? shutdown : [...enterHost, ...shutdown];
  return [file, ...args];
}

async function failureOf([file, ...args]: [string, ...string[]], { run }: RebootDeps) {
  try {
    const { status, stderr } = await run(file, args, { timeoutMs });
    // Ended by a signal: systemd was quick.
    if (status === 0 || status === undefined) return undefined;
    return `${file} fails with status ${status}: ${stderr.trim().slice(0, 200)}`;
  } catch (error) {
    return `${file}: ${errorText(error)}`;
  }
}
