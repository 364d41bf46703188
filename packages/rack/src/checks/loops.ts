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
    const device = equipment.get(name);
    return device === undefined || !off.has(device);
  };
  for (let size = -1; size !== off.size; ) {
    size = off.size;
    for (const device of off) {
      if (device.power.some((outlet) => isOn(outlet.device))) off.delete(device);
    }
  }
  return off;
}

/** Follows `next` from each device, and returns each loop once. */
function* loopsOf(
  devices: Iterable<Equipment>,
  next: (device: Equipment) => Equipment | undefined,
): Generator<Loop> {
  const done = new Set<Equipment>();
  for (const start of devices) {
    const path: Equipment[] = [];
    let device: Equipment | undefined = start;
    while (device !== undefined && !done.has(device)) {
      done.add(device);
      path.push(device);
      device = next(device);
    }
    const begin = device === undefined ? -1 : path.indexOf(device);
    if (device !== undefined && begin >= 0) yield [device, ...path.slice(begin + 1)];
  }
}
