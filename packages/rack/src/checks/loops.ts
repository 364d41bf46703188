/**
 * Finds loops: an uplink that leads back to its device, and devices that only feed each other, which can never be turned
 * on. A PDU that feeds its own switch is not a loop.
 */
import { type Draft, type Report, within } from '../draft/draft.ts';
import type { InfrastructureDevice } from '../rack/rack.ts';

export function checkLoops(draft: Draft, report: Report): void {
  const { infrastructure } = draft.rack;
  for (const loop of loopsOf(infrastructure.values(), ({ uplink }) =>
    uplink === undefined || uplink === 'internet' ? undefined : infrastructure.get(uplink.device),
  )) {
    const message =
      loop.length === 1 ? 'is its own port' : `the uplinks form a loop: ${ring(loop)}`;
    report(within(draft, loop[0], 'uplink'), 'loop', message);
  }
  for (const loop of loopsOf(neverOn(infrastructure), ({ power }) =>
    infrastructure.get(power[0]?.device ?? ''),
  )) {
    const message =
      loop.length === 1 ? 'is its own outlet' : `these power only each other: ${ring(loop)}`;
    report(within(draft, loop[0], 'power'), 'loop', message);
  }
}

type Loop = [InfrastructureDevice, ...InfrastructureDevice[]];

function ring(loop: Loop): string {
  return [...loop, loop[0]].map(({ name }) => name).join(' → ');
}

/** Devices that can never be on. A device can be on without a feed in the rack, or with a feed that can be on. */
function neverOn(
  infrastructure: ReadonlyMap<string, InfrastructureDevice>,
): Set<InfrastructureDevice> {
  const off = new Set([...infrastructure.values()].filter(({ power }) => power.length > 0));
  const isOn = (name: string) => {
    const device = infrastructure.get(name);
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
  devices: Iterable<InfrastructureDevice>,
  next: (device: InfrastructureDevice) => InfrastructureDevice | undefined,
): Generator<Loop> {
  const done = new Set<InfrastructureDevice>();
  for (const start of devices) {
    const path: InfrastructureDevice[] = [];
    let device: InfrastructureDevice | undefined = start;
    while (device !== undefined && !done.has(device)) {
      done.add(device);
      path.push(device);
      device = next(device);
    }
    const begin = device === undefined ? -1 : path.indexOf(device);
    if (device !== undefined && begin >= 0) yield [device, ...path.slice(begin + 1)];
  }
}
