/**
 * Reboots the machine, after the bot has ended, if rack.yaml allows it. Systemd does it, including the host's from a container that sees
 * the host's processes. If that fails, the kernel does (Documentation/admin-guide/sysrq.rst: sync, remount read-only, reboot).
 */
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, pause } from '@skolo/base';
import type { RunCommand } from '@skolo/base/run-command';
import type { EventLog } from '@skolo/common/light';
import type { PartDeps } from '../part-deps.ts';

interface RebootDeps {
  run: RunCommand;
  /** Usually /proc. No default, so that no test reboots its machine. */
  proc: string;
  log: Pick<EventLog, 'warn'>;
  /** Time for `s` and `u` to take effect. */
  sysrqPauseMs?: number;
}

/** A rebooting machine ends its services first. */
const rebootWithinMs = 600_000;

interface RebootPartDeps extends Pick<PartDeps, 'run' | 'emit'> {
  /** Undefined: this agent cannot reboot its machine. */
  proc: string | undefined;
  /** Why rack.yaml prohibits it. */
  whyRejected: () => string | undefined;
  bot: { stop(): Promise<void> };
  stopping: AbortController;
  log: Pick<EventLog, 'warn' | 'error'>;
  /** The machine did not reboot, and its bot has ended: the agent must be restarted. */
  onNotRebooted: () => void;
}

export class Reboot {
  private readonly deps: RebootPartDeps;

  constructor(deps: RebootPartDeps) {
    this.deps = deps;
  }

  /** Undefined: the machine may be rebooted. */
  whyNot(): string | undefined {
    const { proc, whyRejected } = this.deps;
    if (proc === undefined) return 'this agent cannot reboot its machine';
    return whyRejected();
  }

  /** Returns immediately. @param rejected why it may not reboot */
  start(why: string, rejected = this.whyNot()): void {
    const { run, proc, bot, stopping, log, emit, onNotRebooted } = this.deps;
    if (proc === undefined || rejected !== undefined) {
      log.warn({ why, rejected }, 'machine reboot rejected');
      return;
    }
    stopping.abort();
    emit({ type: 'facts' });
    bot
      .stop()
      .then(() => rebootMachine(why, { run, proc, log }))
      .then(() => pause(rebootWithinMs))
      .then(() => Promise.reject(new Error('the command had no effect within 10 minutes')))
      .catch((error: unknown) => {
        log.error({ why: errorText(error) }, 'machine did not reboot');
        onNotRebooted();
      });
  }
}

const shutdown = ['/sbin/shutdown', '-r', 'now'];
/** All namespaces of process 1 that a reboot requires. */
const enterHost = ['nsenter', '--target', '1', '--mount', '--uts', '--ipc', '--net', '--pid', '--'];
const timeoutMs = 30_000;

/** Fulfilled when the command was accepted. @throws Error Every way failed, and why. */
export async function rebootMachine(why: string, deps: RebootDeps): Promise<void> {
  const failed: string[] = [];
  const command = await commandFor(deps.proc);
  if (command !== undefined) {
    deps.log.warn({ why, command }, 'machine is rebooting');
    const problem = await failureOf(command, deps);
    if (problem === undefined) return;
    failed.push(problem);
  }
  try {
    deps.log.warn({ why, failed }, 'machine reboot forced through the kernel');
    const trigger = join(deps.proc, 'sysrq-trigger');
    for (const key of ['s', 'u']) {
      await writeFile(trigger, key, { flag: 'a' });
      await pause(deps.sysrqPauseMs ?? 3000);
    }
    await writeFile(trigger, 'b', { flag: 'a' });
  } catch (error) {
    failed.push(`sysrq: ${errorText(error)}`);
    throw new Error(`the agent could not reboot the machine: ${failed.join('; ')}`);
  }
}

/** Undefined: process 1 is not systemd. */
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
    return `${file} failed with status ${status}: ${stderr.trim().slice(0, 200)}`;
  } catch (error) {
    return `${file}: ${errorText(error)}`;
  }
}
