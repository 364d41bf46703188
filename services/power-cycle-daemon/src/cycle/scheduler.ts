/**
 * Which cycles may draw current now: so many cycles at once on a controller, so many in the rack, in the order in which they were
 * asked for. A controller without a verified on gets fewer (`mostOff`). Of one request, the controllers that will take
 * longest come first, or they would be left over at the end. A controller that does not respond costs the others nothing.
 */
import type { PowerCycleDaemonSettings } from '@skolo/rack';
import type { CycleRecord } from '../state/records.ts';

export type TurnLimits = Pick<PowerCycleDaemonSettings, 'atOncePerController' | 'atOnce'>;

/** Those of `waiting` that may go on now, beside those that are `running`. */
export function admitted(
  waiting: readonly CycleRecord[],
  running: readonly CycleRecord[],
  { atOncePerController, atOnce }: TurnLimits,
  isDown: (controller: string) => boolean,
  mostOff: (controller: string) => number,
): CycleRecord[] {
  const taken = new Map<string, number>();
  const take = (controllers: readonly string[]) => {
    for (const name of controllers) taken.set(name, (taken.get(name) ?? 0) + 1);
  };
  let total = 0;
  for (const controllers of running.map(controllersOf)) {
    take(controllers);
    // One that is stuck on a dead controller does not delay others.
    if (!controllers.some(isDown)) total += 1;
  }
  const chosen: CycleRecord[] = [];
  const kept = new Set<string>();
  for (const record of inOrder(waiting, atOncePerController)) {
    const controllers = controllersOf(record);
    const hasRoom = (most: (name: string) => number) =>
      controllers.every((name) => (taken.get(name) ?? 0) < most(name));
    // A place that is kept here would keep others from being turned on.
    if (record.action !== 'on' && !hasRoom(mostOff)) continue;
    if (!hasRoom(() => atOncePerController)) {
      // The first that waits for a controller keeps a place on its others: two feeds might else never be free together.
      if (controllers.some((name) => kept.has(name))) continue;
      take(controllers);
      for (const name of controllers) kept.add(name);
    } else if (total < atOnce) {
      chosen.push(record);
      take(controllers);
      total += 1;
    }
  }
  return chosen;
}

/**
 * Requests as they came; within one, those first whose controllers need longest for what is waiting. No controller is done before
 * its longest cycle is, so a long off time does not start when everything else ends.
 */
function inOrder(waiting: readonly CycleRecord[], atOncePerController: number): CycleRecord[] {
  const offSeconds = new Map<string, number>();
  for (const record of waiting) {
    for (const name of controllersOf(record)) {
      offSeconds.set(name, (offSeconds.get(name) ?? 0) + record.offSeconds);
    }
  }
  const needed = (record: CycleRecord) =>
    Math.max(
      record.offSeconds,
      ...controllersOf(record).map((name) => (offSeconds.get(name) ?? 0) / atOncePerController),
    );
  return waiting
    .map((record) => ({ record, seconds: needed(record) }))
    .sort(
      (a, b) =>
        a.record.batch - b.record.batch ||
        b.seconds - a.seconds ||
        a.record.number - b.record.number,
    )
    .map(({ record }) => record);
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
