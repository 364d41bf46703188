/**
 * Decides how many machines are power-cycled at the same time (inrush current), and whose turn it is: which cycles may draw current now, in
 * the order of their requests and within the limits of each controller and of the rack. A controller without a verified on gets fewer
 * (`mostOff`). Within a request, the controllers that take longest come first, because they would otherwise be left over at the end. A
 * controller that does not respond does not delay the others.
 */
import type { PowerCycleDaemonSettings } from '@skolo/rack';
import type { CycleRecord } from '../state/records.ts';

export type TurnLimits = Pick<PowerCycleDaemonSettings, 'atOncePerController' | 'atOnce'>;

/** The cycles of `waiting` that may proceed now, in addition to those that are `running`. */
export function admitted(
  waiting: readonly CycleRecord[],
  running: readonly CycleRecord[],
  { atOncePerController, atOnce }: TurnLimits,
  isDown: (controller: string) => boolean,
  mostOff: (controller: string) => number,
): CycleRecord[] {
  const load = new Map<string, number>();
  const addToLoad = (controllers: readonly string[]) => {
    for (const name of controllers) load.set(name, (load.get(name) ?? 0) + 1);
  };
  let total = 0;
  for (const controllers of running.map(controllersOf)) {
    addToLoad(controllers);
    // A cycle that is stuck on a dead controller does not delay others.
    if (!controllers.some(isDown)) total += 1;
  }
  const chosen: CycleRecord[] = [];
  const kept = new Set<string>();
  for (const record of inOrder(waiting, atOncePerController)) {
    const controllers = controllersOf(record);
    const hasRoom = (most: (name: string) => number) =>
      controllers.every((name) => (load.get(name) ?? 0) < most(name));
    // Reserving a slot here would keep other outlets from being turned on.
    if (record.action !== 'on' && !hasRoom(mostOff)) continue;
    if (!hasRoom(() => atOncePerController)) {
      // The first cycle that waits for a controller keeps a slot on its others: two feeds might otherwise never be free together.
      if (controllers.some((name) => kept.has(name))) continue;
      addToLoad(controllers);
      for (const name of controllers) kept.add(name);
    } else if (total < atOnce) {
      chosen.push(record);
      addToLoad(controllers);
      total += 1;
    }
  }
  return chosen;
}

/**
 * Requests in order of arrival; within a request, first those whose controllers take longest for what is waiting. A controller is not done
 * before its longest cycle is, so a long off-time does not start when everything else ends.
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

/** The number of cycles ahead of each of `waiting`, on its busiest controller. */
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
