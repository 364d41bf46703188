/**
 * Finds loops: an uplink that leads back to its device, and devices that only feed each other, which can never be turned
 * on. A PDU that feeds its own switch is not a loop.
 */
import { type Draft, type Report, within } from '../draft/draft.ts';
import type { Equipment } from '../rack/rack.ts';

export function checkLoops(draft: Draft, report: Report): void {
  const { equipment } = draft.rack;
  for (const loop of loopsOf(equipment.values(), ({ uplink }) =>
    uplink === undefined || uplink === 'internet' ? undefined : equipment.get(uplink.device),
  )) {
    const message =
      loop.length === 1 ? 'is its own port' : `the uplinks form a loop: ${ring(loop)}`;
    report(within(draft, loop[0], 'uplink'), 'loop', message);
  }
  for (const loop of loopsOf(neverOn(equipment), ({ power }) =>
    equipment.get(power[0]?.device ?? ''),
  )) {
    const message =
      loop.length === 1 ? 'is its own outlet' : `these power only each other: ${ring(loop)}`;
    report(within(draft, loop[0], 'power'), 'loop', message);
  }
}

type Loop = [Equipment, ...Equipment[]];

function ring(loop: Loop): string {
  return [...loop, loop[0]].map(({ name }) => name).join(' → ');
}

/** Devices that can never be on. A device can be on without a feed in the rack, or with a feed that can be on. */
function neverOn(equipment: ReadonlyMap<string, Equipment>): Set<Equipment> {
  const off = new Set([...equipment.values()].filter(({ power }) => power.length > 0));
  const isOn = (name: string) => {
    const item = equipment.get(name);
    return item === undefined || !off.has(item);
  };
  for (let size = -1; size !== off.size; ) {
    size = off.size;
    for (const item of off) {
      if (item.power.some((outlet) => isOn(outlet.device))) off.delete(item);
    }
  }
  return off;
}

/** Follows `next` from each device, and returns each loop once. */
function* loopsOf(
  equipment: Iterable<Equipment>,
  next: (item: Equipment) => Equipment | undefined,
): Generator<Loop> {
  const done = new Set<Equipment>();
  for (const start of equipment) {
    const path: Equipment[] = [];
    let item: Equipment | undefined = start;
    while (item !== undefined && !done.has(item)) {
      done.add(item);
      path.push(item);
      item = next(item);
    }
    const begin = item === undefined ? -1 : path.indexOf(item);
    if (item !== undefined && begin >= 0) yield [item, ...path.slice(begin + 1)];
  }
}
