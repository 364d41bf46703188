/** Readings of a device's outlets, compared with each other and with rack.yaml. Pure. */
import type { OutletReading } from '@skolo/equipment/models/outlets';
import type { Outlet, Rack } from '@skolo/rack';
import { allPlugged } from '../../rack/wiring.ts';
import { entriesOf, type Seen } from '../cabling/seen.ts';
import type { Found } from './settings.ts';

/** By the name of the outlet. */
export type Readings = Readonly<Record<string, OutletReading>>;

/** Names of what each outlet of a device feeds, according to rack.yaml. */
export function loadsOf(rack: Rack, equipment: string): Map<string, string[]> {
  const fed = allPlugged(rack).filter(
    ({ use, outlet }) => use === 'power' && outlet.device === equipment,
  );
  const byOutlet = Map.groupBy(fed, ({ outlet }) => outlet.outlet);
  return new Map([...byOutlet].map(([outlet, loads]) => [outlet, loads.map(({ name }) => name)]));
}

export interface OfPart extends Found {
  /** `outlet 3` */
  part: string;
}

/** Outlets whose readings differ. */
export function changedOutlets(noun: string, readings: readonly Readings[]): OfPart[] {
  return Object.keys(readings[0] ?? {}).flatMap((outlet) => {
    const states = readings.map((each) => each[outlet]?.state ?? 'unknown');
    const isSame = new Set(states).size <= 1;
    const found = `changed between readings: ${states.join(', ')}`;
    return isSame ? [] : [{ part: `${noun} ${outlet}`, found }];
  });
}

/** Differences between the last reading and rack.yaml, and faults. */
export function oddOutlets(
  noun: string,
  reading: Readings,
  loads: ReadonlyMap<string, readonly string[]>,
): OfPart[] {
  return Object.entries(reading).flatMap(([outlet, { state, delivering, fault, watts }]) => {
    const fed = loads.get(outlet)?.join(', ');
    const draws = delivering ?? (watts === undefined ? undefined : watts > 0);
    const part = `${noun} ${outlet}`;
    if (fault !== undefined) return [{ part, found: `reports a fault: ${fault}` }];
    if (fed === undefined) {
      const much = watts === undefined ? 'power' : `${watts} W`;
      const expected = 'none, because it powers nothing in rack.yaml';
      return draws ? [{ part, found: `delivers ${much}`, expected }] : [];
    }
    const expected = `on, because it powers ${fed} in rack.yaml`;
    if (state === 'off') return [{ part, found: 'off', expected }];
    return draws === false ? [{ part, found: 'does not deliver power', expected }] : [];
  });
}

/** Ports with a link whose machine has no outlet that is on, according to rack.yaml. */
export function linkedButOff(
  rack: Rack,
  seen: Pick<Seen, 'isUp'>,
  isOff: (outlet: Outlet) => boolean,
): (OfPart & { device: string })[] {
  return entriesOf(rack).flatMap(({ name, uplink, power: [feed, ...more] }) => {
    if (uplink === undefined || feed === undefined || !seen.isUp(uplink)) return [];
    if (![feed, ...more].every(isOff)) return [];
    const found = `has a link, but ${feed.device}/${feed.outlet}, which powers ${name} in rack.yaml, is off`;
    return [{ device: uplink.device, part: `port ${uplink.outlet}`, found }];
  });
}
