/**
 * Names of objects off site: `YYYY-MM-DD-HOST-SHA1.gz`, with `.age` behind it where it is encrypted. A content that came
 * back on the same day is a version of its own: `YYYY-MM-DD-HOST-SHA1-HHMMSSmmm.gz`.
 */

import { BackupError } from '@skolo/models/configuration';
import { isDeviceName } from '../history/device-file.ts';
import type { StoredObject } from './place.ts';

export interface NamedObject {
  device: string;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  /** Of the content as the device gave it, in hex. */
  sha1: string;
  encrypted: boolean;
  /** `HHMMSSmmm`, UTC: of a content that was there before on that day. */
  clock?: string | undefined;
}

const pattern =
  /^(?<day>\d{4}-\d{2}-\d{2})-(?<device>.+)-(?<sha1>[0-9a-f]{40})(?:-(?<clock>\d{9}))?\.gz(?<age>\.age)?$/;

/**
 * @param object.time RFC 3339, when it was read
 * @param object.isAgain another version of that day has the same content
 * @throws BackupError `storage`: there can be no such object
 */
export function objectName(object: {
  device: string;
  time: string;
  sha1: string;
  encrypted: boolean;
  isAgain?: boolean;
}): string {
  const { device, time, sha1, encrypted, isAgain = false } = object;
  const at = Date.parse(time);
  const clock = isAgain && dayOf(at) !== '' ? `-${clockOf(at)}` : '';
  const name = `${dayOf(at)}-${device}-${sha1}${clock}.gz${encrypted ? '.age' : ''}`;
  if (parseObjectName(name)?.device !== device) {
    throw new BackupError(
      'storage',
      `${device}: an off-site name cannot be formed from the time ${JSON.stringify(time)} and the SHA-1 ${JSON.stringify(sha1)}`,
    );
  }
  return name;
}

/** Undefined: it is not one of ours. */
export function parseObjectName(name: string): NamedObject | undefined {
  const { day = '', device = '', sha1 = '', clock, age } = pattern.exec(name)?.groups ?? {};
  if (dayOf(Date.parse(`${day}T00:00:00Z`)) !== day || !isDeviceName(device)) return undefined;
  return { device, day, sha1, encrypted: age !== undefined, clock };
}

/** An object that is named as ours. */
export interface OurObject {
  object: StoredObject;
  named: NamedObject;
}

/** Those that are named as ours. */
export function named(objects: readonly StoredObject[]): OurObject[] {
  return objects.flatMap((object) => {
    const found = parseObjectName(object.name);
    return found ? [{ object, named: found }] : [];
  });
}

/** UTC; of no time, and of one that four digits cannot tell, nothing. */
function dayOf(at: number): string {
  if (Number.isNaN(at)) return '';
  const text = new Date(at).toISOString();
  return text.length === 24 ? text.slice(0, 10) : '';
}

/**
 * When the version was read: what the place knows, unless its name tells another day. The time of a file is that of its
 * last copying where somebody copied it.
 *
 * @returns RFC 3339
 */
export function timeOf({ day, clock }: NamedObject, time: string): string {
  const at = clock === undefined ? Date.parse(time) : atClock(day, clock);
  if (dayOf(at) === day) return new Date(at).toISOString();
  return `${day}T00:00:00.000Z`;
}

function clockOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23).replaceAll(/[:.]/g, '');
}

function atClock(day: string, clock: string): number {
  const [, hours, minutes, seconds] = /^(\d\d)(\d\d)(\d\d)/.exec(clock) ?? [];
  return Date.parse(`${day}T${hours}:${minutes}:${seconds}.${clock.slice(6)}Z`);
}
