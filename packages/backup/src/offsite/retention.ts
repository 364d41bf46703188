/** Which copies off site have been kept for long enough. */
import { parseObjectName, timeOf } from './name.ts';
import type { StoredObject } from './place.ts';

const aDay = 86_400_000;

interface Retention {
  /** Younger ones stay. */
  days: number;
  /** The newest so many of each device stay, however old. */
  versions: number;
}

/**
 * What may be removed: older than so many days, and not among the newest versions of its device. What is not named
 * as ours is never among it. The same version stored twice, encrypted and not, counts once.
 *
 * @param now milliseconds since 1970
 */
export function expired(
  objects: readonly StoredObject[],
  { days, versions }: Retention,
  now: number,
): StoredObject[] {
  const devices = new Map<string, Map<string, Kept>>();
  for (const object of objects) {
    const named = parseObjectName(object.name);
    if (!named) continue;
    const ofDevice = devices.get(named.device) ?? new Map<string, Kept>();
    devices.set(named.device, ofDevice);
    const key = `${named.day} ${named.sha1} ${named.clock}`;
    const version = ofDevice.get(key) ?? { at: 0, objects: [] };
    ofDevice.set(key, version);
    version.at = Math.max(version.at, Date.parse(timeOf(named, object.time)));
    version.objects.push(object);
  }
  const gone = [...devices.values()].flatMap((ofDevice) =>
    [...ofDevice.values()]
      .sort((a, b) => b.at - a.at)
      .slice(versions)
      .filter(({ at }) => now - at > days * aDay)
      .flatMap((version) => version.objects),
  );
  return gone.sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Kept {
  at: number;
  objects: StoredObject[];
}
