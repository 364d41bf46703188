/** Decides the level of a model: how far it was verified on real hardware, by its evidence files. */
import { count } from '@skolo/base';
import { recorded, sightings } from './sightings.ts';

export const levels = ['never seen', 'recorded', 'read', 'switched', 'proven'] as const;

/** A model and firmware in one rack. */
export type Sighting = (typeof sightings)[number];

export interface Evidence {
  level: (typeof levels)[number];
  /** Of this level. */
  racks: number;
  firmware: string[];
}

/** `proven` requires two owners, because one owner can make any number of racks up. */
export function evidenceOf(
  model: string,
  all: readonly Sighting[] = sightings,
  recordings: readonly string[] = recorded,
): Evidence {
  const read = all.filter((each) => each.model === model);
  const switched = read.filter(({ isSwitched }) => isSwitched);
  const counted = switched.length > 0 ? switched : read;
  const racks = new Set(counted.map(({ owner, rack }) => `${owner}/${rack}`)).size;
  const firmware = [...new Set(counted.map((each) => each.firmware))].sort();
  if (counted.length === 0) {
    return { level: recordings.includes(model) ? 'recorded' : 'never seen', racks, firmware };
  }
  if (switched.length === 0) return { level: 'read', racks, firmware };
  const owners = new Set(switched.map(({ owner }) => owner));
  return { level: owners.size > 1 ? 'proven' : 'switched', racks, firmware };
}

/** `read in 2 racks (firmware 1.9.3, 1.9.4)`. */
export function evidenceText({ level, racks, firmware }: Evidence): string {
  if (racks === 0) return level === 'never seen' ? 'not verified on hardware' : level;
  return `${level} in ${count(racks, 'rack')} (firmware ${firmware.join(', ')})`;
}

/**
 * Returns the level for a generated page: `read (firmware 1.9.3, 1.9.4)`. It omits the number of racks, because two contributions that
 * each add a rack would change it to the same number, and their merge would be wrong.
 */
export function levelText(evidence: Evidence): string {
  const { level, racks, firmware } = evidence;
  return racks === 0 ? evidenceText(evidence) : `${level} (firmware ${firmware.join(', ')})`;
}
