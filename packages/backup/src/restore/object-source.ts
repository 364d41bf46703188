/** Versions out of a place that keeps objects: what is there when the rack is dead. */

import { BackupError } from '@skolo/models/configuration';
import type { Secret } from '@skolo/secrets';
import { type NamedObject, parseObjectName, timeOf } from '../offsite/name.ts';
import { unpack } from '../offsite/pack.ts';
import type { OffsitePlace, StoredObject } from '../offsite/place.ts';
import type { BackupSource, Version } from '../source.ts';

interface ObjectSourceOptions {
  /** Of age, for what is encrypted. */
  identities?: readonly Secret[];
  signal?: AbortSignal | undefined;
}

interface OfDevice extends StoredObject {
  named: NamedObject;
}

/** The place is listed once, when something is first asked for. What is not named as ours is passed over. */
export function objectSource(
  place: OffsitePlace,
  { identities = [], signal = new AbortController().signal }: ObjectSourceOptions = {},
): BackupSource {
  let listing: Promise<Map<string, OfDevice[]>> | undefined;

  async function objects(): Promise<Map<string, OfDevice[]>> {
    listing ??= readListing();
    try {
      return await listing;
    } catch (error) {
      listing = undefined;
      throw error;
    }
  }

  async function readListing() {
    const devices = new Map<string, OfDevice[]>();
    for (const object of await place.list(signal)) {
      const named = parseObjectName(object.name);
      if (!named) continue;
      const ofDevice = devices.get(named.device) ?? [];
      devices.set(named.device, ofDevice);
      ofDevice.push({ ...object, named });
    }
    return devices;
  }

  /** Encrypted and in the clear, it may be there twice. */
  async function copiesOf(id: string): Promise<OfDevice[]> {
    const named = parseObjectName(id);
    const ofDevice = named ? ((await objects()).get(named.device) ?? []) : [];
    return ofDevice.filter((object) => keyOf(object.name) === keyOf(id));
  }

  async function content({ id, sha1 }: Version): Promise<Buffer> {
    const copies = await copiesOf(id);
    let failure: unknown = new BackupError('not-found', `${place.url}: there is no ${id}`);
    for (const { name, named } of copies) {
      const what = `${place.url}/${name}`;
      try {
        const bytes = await unpack(await place.get(name, signal), named, { identities, what });
        if (sha1 === undefined || sha1 === named.sha1) return bytes;
        throw new BackupError('damaged', `${what} is not the content with the SHA-1 ${sha1}`);
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
      const versions = new Map(ofDevice.map((object) => [keyOf(object.name), versionOf(object)]));
      return [...versions.values()].sort(newestFirst).slice(0, limit);
    },
    content,
    close: async () => undefined,
  };
}

function keyOf(name: string): string {
  return name.replace(/\.age$/, '');
}

function versionOf({ name, named, time, model }: OfDevice): Version {
  return {
    id: name,
    device: named.device,
    time: timeOf(named, time),
    sha1: named.sha1,
    model,
  };
}

function newestFirst(a: Version, b: Version): number {
  return Date.parse(b.time) - Date.parse(a.time) || (a.id < b.id ? 1 : -1);
}
