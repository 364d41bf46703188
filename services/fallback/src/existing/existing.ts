/**
 * Units of an existing system, which serve in place of ours while an operator wants it. Two power
 * controllers never switch the same outlets: those of an existing system run only while the fence,
 * a unit of ours, has the journal of our daemon.
 */

import { mkdir } from 'node:fs/promises';
import { pause } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';
import { readJson } from '../json-file.ts';
import { processesIn } from '../units/left-behind.ts';
import type { PodService } from '../units/services.ts';
import { changeUnit, readUnits, startedAt, unitState } from '../units/units.ts';
import { leftOffFile } from './fence.ts';

const fence = 'skolo-power-fence.service';

/** Also when systemd or a person starts the unit: without the fence it does not run. */
const binding = `# Written by skolo-fallback, so that two power controllers never run at the same time.
[Unit]
BindsTo=${fence}
After=${fence}
`;

/** A unit that has run for so long does not end at once. */
const steadyMs = 3000;

function isFenced({ name }: PodService): boolean {
  return name === 'power-cycle-daemon';
}

/** Names those that systemd does not know. */
export async function unknownUnits(units: readonly string[]): Promise<string[]> {
  const states = await Promise.all(units.map(unitState));
  return units.filter((_, at) => states[at]?.isInstalled !== true);
}

/**
 * Starts those that do not run, in their order. While our daemon has its journal, none starts.
 *
 * @returns whether one was started
 * @throws Error The fence or a unit does not start.
 */
export async function startExisting(
  service: PodService,
  units: readonly string[],
): Promise<boolean> {
  if (isFenced(service)) await changeUnit('start', fence);
  let hasStarted = false;
  for (const unit of units) {
    if ((await unitState(unit)).isRunning) continue;
    await changeUnit('start', unit);
    hasStarted = true;
  }
  return hasStarted;
}

/** Makes systemd keep the rule, too. The fence runs already, or systemd would end what serves. */
export async function bindToFence(service: PodService, units: readonly string[]): Promise<void> {
  if (!isFenced(service)) return;
  for (const unit of units) {
    const folder = `/etc/systemd/system/${unit}.d`;
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(`${folder}/skolo-power-fence.conf`, binding, { mode: 0o644 });
  }
  await readUnits();
}

/** Since when each has run without an end. @returns those that do not */
export async function unsteady(units: readonly string[]): Promise<string[]> {
  const before = await Promise.all(units.map(startedAt));
  await pause(steadyMs);
  const after = await Promise.all(units.map(startedAt));
  return units.filter((_, at) => after[at] === undefined || before[at] !== after[at]);
}

/**
 * Stops them, the last one first, and then lets our daemon have its journal.
 *
 * @throws Error A process of them is still there.
 */
export async function stopExisting(service: PodService, units: readonly string[]): Promise<void> {
  for (const unit of units.toReversed()) {
    await changeUnit('stop', unit);
    const processes = await processesAfterStop(unit);
    if (processes.length > 0) {
      throw new Error(
        `${unit} was stopped, but some of its processes are still running (${processes.join(', ')}); stop them`,
      );
    }
  }
  if (isFenced(service)) await changeUnit('stop', fence);
}

/**
 * Returns the processes of a stopped unit that do not end within five seconds: the kernel lists a
 * process for a moment after it was killed.
 */
async function processesAfterStop(unit: string): Promise<number[]> {
  for (let triesLeft = 50; ; triesLeft -= 1) {
    const processes = await processesIn(`/${unit}`);
    if (processes.length === 0 || triesLeft === 0) return processes;
    await pause(100);
  }
}

/**
 * Outlets that our daemon has left off, by its journal: nothing turns them on while an existing
 * system serves.
 */
export async function readLeftOff(service: PodService): Promise<string[]> {
  if (!isFenced(service)) return [];
  return (await readJson(leftOffFile, z.array(z.string()))) ?? [];
}
