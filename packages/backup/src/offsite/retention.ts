/** Decides which old off-site copies are deleted: those that have been kept long enough (retention). */
import { named, type OurObject, timeOf } from './name.ts';
import type { StoredObject } from './place.ts';

const aDay = 86_400_000;

interface Retention {
  /** Younger ones stay. */
  days: number;
  /** The number of newest versions of each device that are always kept. */
  versions: number;
}

/**
 * Objects that may be removed: older than this many days, and not among their device's newest versions. Never includes objects whose names
 * are not ours. A version that is stored both encrypted and unencrypted counts once.
 *
 * @param now milliseconds since 1970
 */
export function expired(
  objects: readonly StoredObject[],
  { days, versions }: Retention,
  now: number,
): StoredObject[] {
  const devices = Map.groupBy(named(objects), (each) => each.named.device);
  const gone = [...devices.values()].flatMap((ofDevice) =>
    [...Map.groupBy(ofDevice, versionOf).values()]
      .map((copies) => ({ at: Math.max(...copies.map(readAt)), copies }))
      .sort((a, b) => b.at - a.at)
      .slice(versions)
      .filter(({ at }) => now - at > days * aDay)
      .flatMap(({ copies }) => copies.map(({ object }) => object)),
  );
  return gone.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function versionOf({ named: { day, digest, clock } }: OurObject): string {
  return `${day} ${digest} ${clock}`;
}

function readAt({ named, object }: OurObject): number {
  return Date.parse(timeOf(named, object.time));
}
