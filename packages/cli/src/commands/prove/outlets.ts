/** Readings of a device's outlets, compared with each other and with rack.yaml. Pure. */
import type { OutletReading } from '@skolo/models/outlets';
import type { Outlet, Rack } from '@skolo/rack';
import { allPlugged } from '../rack/wiring.ts';

/** By the name of the outlet. */
export type Readings = Readonly<Record<string, OutletReading>>;

/** Names of what each outlet of a device feeds, according to rack.yaml. */
export function loadsOf(rack: Rack, device: string): Map<string, string[]> {
  const fed = allPlugged(rack).filter(
    ({ use, outlet }) => use === 'power' && outlet.device === device,
  );
  const byOutlet = Map.groupBy(fed, ({ outlet }) => outlet.outlet);
  return new Map([...byOutlet].map(([outlet, loads]) => [outlet, loads.map(({ name }) => name)]));
}

/** Outlets whose readings differ. */
export function changedOutlets(noun: string, readings: readonly Readings[]): string[] {
  return Object.keys(readings[0] ?? {}).flatMap((outlet) => {
    const states = readings.map((each) => each[outlet]?.state ?? 'unknown');
    const isSame = new Set(states).size <= 1;
    return isSame ? [] : [`${noun} ${outlet} changed between readings: ${states.join(', ')}`];
  });
}

/** Differences between the last reading and rack.yaml, and faults. */
export function oddOutlets(
  noun: string,
  reading: Readings,
  loads: ReadonlyMap<string, readonly string[]>,
): string[] {
  return Object.entries(reading).flatMap(([outlet, { state, delivering, fault, watts }]) => {
    const fed = loads.get(outlet)?.join(', ');
    const draws = delivering ?? (watts === undefined ? undefined : watts > 0);
    const where = `${noun} ${outlet}`;
    if (fault !== undefined) return [`${where} reports a fault: ${fault}`];
    if (fed === undefined) {
      const much = watts === undefined ? 'power' : `${watts} W`;
      return draws ? [`${where} delivers ${much}, but powers nothing according to rack.yaml`] : [];
    }
    if (state === 'off') return [`${where} is off, but powers ${fed} according to rack.yaml`];
    return draws === false
      ? [`${where} does not deliver power, but powers ${fed} according to rack.yaml`]
      : [];
  });
}

/** Ports with a link whose machine has no outlet that is on, according to rack.yaml. */
export function linkedButOff(
  rack: Rack,
  isUp: (port: Outlet) => boolean | undefined,
  isOff: (outlet: Outlet) => boolean,
): { device: string; what: string }[] {
  const all = [rack.jumphost, ...rack.machines.values(), ...rack.infrastructure.values()];
  return all.flatMap(({ name, uplink, power: [feed, ...more] }) => {
    if (uplink === undefined || uplink === 'internet' || feed === undefined || !isUp(uplink)) {
      return [];
    }
    if (![feed, ...more].every(isOff)) return [];
    const what = `port ${uplink.outlet} has a link, but ${feed.device}/${feed.outlet}, which powers ${name} according to rack.yaml, is off`;
    return [{ device: uplink.device, what }];
  });
}
