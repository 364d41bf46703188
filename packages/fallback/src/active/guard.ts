/** While this computer is the jumphost: it serves its statement, and releases everything when a higher epoch appears. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pause } from '@skolo/base';
import type { Statement } from '@skolo/rack/jumphost';
import { type ActiveOptions, conflictNow, type Own, tellPower, writeRetired } from './files.ts';
import { probeAddress } from './gate.ts';
import { joinGroup } from './group.ts';

const run = promisify(execFile);

/** Three may get lost, and everything is still released within 30 s. */
const betweenStatementsMs = 5000;
/** For each command of the release. */
const deadlineMs = 12_000;

/** Until another jumphost has a higher epoch. */
export async function untilRetired(options: ActiveOptions, own: Own): Promise<Statement> {
  await attempt(tellPower(options, { retiredBy: null }));
  const group = joinGroup(options, own);
  const over = new AbortController();
  const saying = setInterval(() => group.say(false), betweenStatementsMs);
  void watchAddress(options, over.signal);
  try {
    group.say(false);
    return await group.higher;
  } finally {
    over.abort();
    clearInterval(saying);
    group.close();
  }
}

/** Somebody who has taken our address gets what is meant for us. */
async function watchAddress(options: ActiveOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const mac = await probeAddress(options, 'once', signal);
    if (mac !== undefined && !signal.aborted) {
      console.log(`${options.address}: the computer with MAC address ${mac} uses the same address`);
      await tellPower(options, { conflict: conflictNow(mac) }).catch(() => undefined);
    }
    await pause(options.everySeconds * 1000, signal).catch(() => undefined);
  }
}

/**
 * Releases power control first, then the address, k3s and all units that need them. After a crash in between, do it again: each step
 * may be repeated. What does not end in time is killed, because the other jumphost waits for it.
 */
export async function release(options: ActiveOptions, by: Statement): Promise<void> {
  const { machine, epoch } = by;
  const { address, device } = options;
  await attempt(tellPower(options, { retiredBy: { machine, epoch } }));
  await attempt(writeRetired(options, by));
  const units = ['k3s.service', 'skolo-power-cycle-daemon.service'];
  for (const [program, ...args] of [
    ['ip', 'address', 'flush', 'dev', device, 'to', address],
    // Every unit that makes it a jumphost requires this one, and cannot start again without it.
    ['systemctl', 'stop', 'skolo-active.service'],
    ['systemctl', 'kill', '--signal=KILL', ...units],
    // Containers, which go on without k3s.
    ['systemctl', 'kill', '--signal=KILL', 'kubepods.slice'],
    ['ip', 'address', 'flush', 'dev', device, 'scope', 'global'],
  ] as const) {
    await attempt(run(program, args, { timeout: deadlineMs }));
  }
}

/** A full disk, or a unit that is not there, keeps nothing else from being released. */
async function attempt(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => console.error(String(error)));
}
