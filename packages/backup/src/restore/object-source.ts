/** Reads versions from an object location: available even if the rack is down. */

import { createWriteStream } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { notStored } from '../git/storage-error.ts';
import { named, type OurObject, parseObjectName, timeOf } from '../offsite/name.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { unpacked } from '../offsite/unpack.ts';
import type { BackupSource, Version } from '../source.ts';
import { admitCopy, type Trust } from './trust.ts';

interface ObjectSourceOptions {
  /** age identities for encrypted objects. */
  identities?: readonly Secret[];
  trust?: Trust;
  signal?: AbortSignal | undefined;
}

/** Lists the location once, on first use. Skips objects whose names are not ours. */
export function objectSource(
  place: OffsitePlace,
  { identities = [], trust = {}, signal = new AbortController().signal }: ObjectSourceOptions = {},
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

  /** @param use what is done with the content of a copy */
  async function reading<T>(
    { id }: Version,
    use: (content: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const copies = await copiesOf(id);
    let failure: unknown = new BackupError('not-found', `${place.url}: ${id} does not exist`);
    for (const { object, named: about } of copies) {
      const what = `${place.url}/${object.name}`;
      const { device, encrypted: isEncrypted } = about;
      const { backupKey } = trust;
      try {
        return await use(
          unpacked(place.read(object.name, signal), about, {
            identities,
            backupKey,
            what,
            packedSize: object.size,
            isArchive: device === trust.archived,
            admit: (isAuthenticated) =>
              admitCopy(what, { device, isEncrypted, isAuthenticated }, trust),
          }),
        );
      } catch (error) {
        if (!(error instanceof BackupError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async function contentToFile(version: Version, file: string): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(dirname(file));
      await reading(version, (content) =>
        pipeline(
          content,
          upTo(bavail * bsize, dirname(file)),
          createWriteStream(file, { mode: 0o600 }),
          {
            signal,
          },
        ),
      );
    } catch (error) {
      await rm(file, { force: true }).catch(() => undefined);
      signal.throwIfAborted();
      throw notStored(`${file} cannot be written`, error);
    }
  }

  return {
    devices: async () => [...(await objects()).keys()].sort(),
    async versions(device, { limit } = {}) {
      const ofDevice = (await objects()).get(device) ?? [];
      const versions = new Map(ofDevice.map((each) => [keyOf(each.object.name), versionOf(each)]));
      return [...versions.values()].sort(newestFirst).slice(0, limit);
    },
    content: (version) => reading(version, (content) => buffer(content)),
    contentToFile,
    close: async () => undefined,
  };
}

/** A `pipeline` stage: what would fill the disk is not written to it. */
function upTo(mostBytes: number, folder: string) {
  return async function* counted(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of content) {
      size += chunk.length;
      if (size > mostBytes)
        throw new BackupError('storage', `${folder}: the content does not fit on the disk`);
      yield chunk;
    }
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
