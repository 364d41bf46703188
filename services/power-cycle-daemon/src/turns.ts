/**
 * Who may draw current now: so many cycles at once on a controller, so many in the rack, in the order in which they were
 * asked for. A controller that does not answer costs the others nothing.
 */
import { holdsPower } from './cycle.ts';
import type { CycleRecord } from './records.ts';

export interface TurnLimits {
  atOncePerController: number;
  atOnce: number;
}

/** Those of `waiting` that may go on now. `running` are those that hold power. */
export function admitted(
  waiting: readonly CycleRecord[],
  running: readonly CycleRecord[],
  { atOncePerController, atOnce }: TurnLimits,
  isDown: (controller: string) => boolean,
): CycleRecord[] {
  const perController = new Map<string, number>();
  let total = 0;
  const take = (record: CycleRecord) => {
    const controllers = controllersOf(record);
    for (const name of controllers) perController.set(name, (perController.get(name) ?? 0) + 1);
    if (!controllers.some(isDown)) total += 1;
  };
  for (const record of running.filter(holdsPower)) take(record);
  const chosen: CycleRecord[] = [];
  for (const record of waiting.toSorted((a, b) => a.number - b.number)) {
    const controllers = controllersOf(record);
    const full = controllers.some((name) => (perController.get(name) ?? 0) >= atOncePerController);
    if (full || total >= atOnce) continue;
    chosen.push(record);
    take(record);
  }
  return chosen;
}

/** Behind how many others each of `waiting` is, on the fullest of its controllers. */
export function positions(waiting: readonly CycleRecord[]): Map<string, number> {
  const before = new Map<string, number>();
  const result = new Map<string, number>();
  for (const record of waiting.toSorted((a, b) => a.number - b.number)) {
    const controllers = controllersOf(record);
    result.set(record.id, Math.max(0, ...controllers.map((name) => before.get(name) ?? 0)));
    for (const name of controllers) before.set(name, (before.get(name) ?? 0) + 1);
  }
  return result;
}

function controllersOf({ feeds }: CycleRecord): string[] {
  return [...new Set(feeds.map(({ controller }) => controller))];
}
