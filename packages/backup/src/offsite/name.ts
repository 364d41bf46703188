/**
 * The names of off-site copies: `YYYY-MM-DD-HOST-DIGEST.gz`, with the suffix `.age` if encrypted. Earlier releases used the SHA-1 of the
 * content, followed by the time (`-HHMMSSmmm`) if the content reappeared on the same day.
 */

import { BackupError } from '@skolo/equipment/models/configuration';
import { isDeviceName } from '../history/device-file.ts';
import type { StoredObject } from './place.ts';

export interface NamedObject {
  device: string;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  /** As returned by `pack`. */
  digest: string;
  encrypted: boolean;
  /** `HHMMSSmmm`, UTC, in some names of earlier releases. */
  clock?: string | undefined;
}

const pattern =
  /^(?<day>\d{4}-\d{2}-\d{2})-(?<device>.+)-(?<digest>[0-9a-f]{40})(?:-(?<clock>\d{9}))?\.gz(?<age>\.age)?$/;

/**
 * @param object.time RFC 3339, when it was read
 * @throws BackupError `storage`: such an object is not possible
 */
export function objectName(object: {
  device: string;
  time: string;
  digest: string;
  encrypted: boolean;
}): string {
  const { device, time, digest, encrypted } = object;
  const name = `${dayOf(Date.parse(time))}-${device}-${digest}.gz${encrypted ? '.age' : ''}`;
  if (parseObjectName(name)?.device !== device) {
    throw new BackupError(
      'storage',
      `${device}: cannot form an off-site name from the time ${JSON.stringify(time)} and the digest ${JSON.stringify(digest)}`,
    );
  }
  return name;
}

/** Undefined if it is not one of ours. */
export function parseObjectName(name: string): NamedObject | undefined {
  const { day = '', device = '', digest = '', clock, age } = pattern.exec(name)?.groups ?? {};
  if (dayOf(Date.parse(`${day}T00:00:00Z`)) !== day || !isDeviceName(device)) return undefined;
  return { device, day, digest, encrypted: age !== undefined, clock };
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

/** UTC; empty for an invalid time, or a year that does not have four digits. */
export function dayOf(at: number): string {
  if (Number.isNaN(at)) return '';
  const text = new Date(at).toISOString();
  return text.length === 24 ? text.slice(0, 10) : '';
}

/**
 * When the version was read: as stored, unless the name has another day. A copied file may have the time of copying.
 *
 * @returns RFC 3339
 */
export function timeOf({ day, clock }: NamedObject, time: string): string {
  const at = clock === undefined ? Date.parse(time) : atClock(day, clock);
  if (dayOf(at) === day) return new Date(at).toISOString();
  return `${day}T00:00:00.000Z`;
}

function atClock(day: string, clock: string): number {
  const [, hours, minutes, seconds] = /^(\d\d)(\d\d)(\d\d)/.exec(clock) ?? [];
  return Date.parse(`${day}T${hours}:${minutes}:${seconds}.${clock.slice(6)}Z`);
}
