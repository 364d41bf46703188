/** Decides when a running jumphost stops being one: it serves its statement, and releases everything when a higher epoch appears. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pause } from '@skolo/base';
import { run } from '@skolo/base/run';
import type { Statement } from '@skolo/rack/jumphost';
import { type ActiveOptions, type Own, probe, tellConflict, tellPower } from './files.ts';
import { joinGroup } from './group.ts';
import { writeRetired } from './retired.ts';

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
  void defendAddress(options, over.signal);
  try {
    group.say(false);
    return await group.higher;
  } finally {
    over.abort();
    clearInterval(saying);
    group.close();
  }
}

/** Somebody who has taken our address gets what is meant for us. The program defends it, and prints who it was. */
async function defendAddress(options: ActiveOptions, signal: AbortSignal): Promise<void> {
  const { root, device, address, everySeconds } = options;
  while (!signal.aborted) {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const child = spawn(join(root, probe), [device, address, 'defend'], {
      signal,
      stdio: [...stdio],
    });
    child.on('error', () => undefined);
    for await (const mac of createInterface(child.stdout)) {
      console.log(`${address}: the computer with MAC address ${mac} uses the same address`);
      await tellConflict(options, mac);
    }
    await pause(everySeconds * 1000, signal).catch(() => undefined);
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
