/** Reads versions from an object location: available even if the rack is down. */

import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { named, type OurObject, parseObjectName, timeOf } from '../offsite/name.ts';
import { unpack } from '../offsite/pack.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import type { BackupSource, Version } from '../source.ts';

interface ObjectSourceOptions {
  /** age identities for encrypted objects. */
  identities?: readonly Secret[];
  signal?: AbortSignal | undefined;
}

/** Lists the location once, on first use. Skips objects whose names are not ours. */
export function objectSource(
  place: OffsitePlace,
  { identities = [], signal = new AbortController().signal }: ObjectSourceOptions = {},
): BackupSource {
  let listing: Promise<Map<string, OurObject[]>> | undefined;

  async function objects(): Promise<Map<string, OurObject[]>> {
    listing ??= place
      .list(signal)
      .then((all) => Map.groupBy(named(all), (each) => each.named.device));
    try {
      return await listing;
    } catch (error) {
      listing = undefined;
      throw error;
    }
  }

  /** It may exist both encrypted and unencrypted. */
  async function copiesOf(id: string): Promise<OurObject[]> {
    const { device = '' } = parseObjectName(id) ?? {};
    const ofDevice = (await objects()).get(device) ?? [];
    return ofDevice.filter(({ object }) => keyOf(object.name) === keyOf(id));
  }

  async function content({ id }: Version): Promise<Buffer> {
    const copies = await copiesOf(id);
    let failure: unknown = new BackupError('not-found', `${place.url}: ${id} does not exist`);
    for (const { object, named: about } of copies) {
      const what = `${place.url}/${object.name}`;
      try {
        const packed = await place.get(object.name, signal);
        return await unpack(packed, about, { identities, what });
      } catch (error) {
        if (!(error instanceof BackupError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  return {
    devices: async () => [...(await objects()).keys()].sort(),
    async versions(device, { limit } = {}) {
      const ofDevice = (await objects()).get(device) ?? [];
      const versions = new Map(ofDevice.map((each) => [keyOf(each.object.name), versionOf(each)]));
      return [...versions.values()].sort(newestFirst).slice(0, limit);
    },
    content,
    close: async () => undefined,
  };
}

function keyOf(name: string): string {
  return name.replace(/\.age$/, '');
}

function versionOf({ object, named: about }: OurObject): Version {
  const { name: id, time, model } = object;
  return { id, device: about.device, time: timeOf(about, time), model };
}

function newestFirst(a: Version, b: Version): number {
  return Date.parse(b.time) - Date.parse(a.time) || (a.id < b.id ? 1 : -1);
}
