/** Reads versions from an object location: available even if the rack is down. */

import { createWriteStream } from 'node:fs';
import { readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tempFolder } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { notStored } from '../git/storage-error.ts';
import { named, type OurObject, parseObjectName, timeOf } from '../offsite/name.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { isOwnArchive, unpacked } from '../offsite/unpack.ts';
import type { BackupSource, Version } from '../source.ts';
import { admitCopy, admitName, type Trust } from './trust.ts';

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

  async function contentToFile({ id }: Version, file: string): Promise<void> {
    const copies = await copiesOf(id);
    let failure: unknown = new BackupError('not-found', `${place.url}: ${id} does not exist`);
    for (const copy of copies) {
      try {
        return await write(copy, file);
      } catch (error) {
        await rm(file, { force: true }).catch(() => undefined);
        signal.throwIfAborted();
        if (!(error instanceof BackupError)) throw notStored(`${file} cannot be written`, error);
        failure = error;
      }
    }
    throw failure;
  }

  async function write({ object, named: about }: OurObject, file: string): Promise<void> {
    const what = `${place.url}/${object.name}`;
    const { device, encrypted: isEncrypted } = about;
    const { bavail, bsize } = await statfs(dirname(file));
    const options = {
      identities,
      backupKey: trust.backupKey,
      what,
      packedSize: object.size,
      freeBytes: bavail * bsize,
      isArchive: device === trust.archived,
      admit: (isAuthenticated: boolean) => admitCopy(what, { isEncrypted, isAuthenticated }, trust),
    };
    const read = () => place.read(object.name, signal);
    // Of a plain copy, the name tells whether it can be used at all. An archive is only unpacked if it may be used.
    if (!isEncrypted) admitName(what, device, trust);
    if (options.isArchive) options.admit(await isOwnArchive(read(), about, options));
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(unpacked(read(), about, options), target, { signal });
  }

  return {
    devices: async () => [...(await objects()).keys()].sort(),
    async versions(device, { limit } = {}) {
      const ofDevice = (await objects()).get(device) ?? [];
      const versions = new Map(ofDevice.map((each) => [keyOf(each.object.name), versionOf(each)]));
      return [...versions.values()].sort(newestFirst).slice(0, limit);
    },
    async content(version) {
      // Nothing is in memory before it is known that it may be used.
      await using folder = await tempFolder('skolo-copy-');
      const file = join(folder.path, 'content');
      await contentToFile(version, file);
      return await readFile(file);
    },
    contentToFile,
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
