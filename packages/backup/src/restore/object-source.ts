/** Reads versions from an object location: available even if the rack is down. */

import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tempFolder } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { notStored } from '../git/storage-error.ts';
import { named, type OurObject, parseObjectName, timeOf } from '../offsite/name.ts';
import { archiveDigest } from '../offsite/pack.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { bounded, differs, type Match, unpacked } from '../offsite/unpack.ts';
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

  async function contentToFile({ id }: Version, file: string): Promise<void> {
    const { device = '' } = parseObjectName(id) ?? {};
    const ofDevice = (await objects()).get(device) ?? [];
    const isCopy = ({ object }: OurObject) => keyOf(object.name) === keyOf(id);
    const isEncrypted = ofDevice.some((each) => each.named.encrypted && !isCopy(each));
    let failure: BackupError | undefined;
    // It may exist both encrypted and, which is tried last, unencrypted.
    for (const copy of ofDevice.filter(isCopy).reverse()) {
      try {
        return await writeContent(copy, { file, place, identities, trust, signal, isEncrypted });
      } catch (error) {
        await rm(file, { force: true }).catch(() => undefined);
        signal.throwIfAborted();
        if (!(error instanceof BackupError)) throw notStored(`${file} cannot be written`, error);
        const { name } = copy.object;
        // A location's own errors do not name the copy.
        failure ??= error.message.includes(name)
          ? error
          : new BackupError(error.code, `${name}: ${error.message}`, { cause: error });
      }
    }
    throw failure ?? new BackupError('not-found', `${place.url}: ${id} does not exist`);
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

interface WriteOptions extends Required<ObjectSourceOptions> {
  file: string;
  place: OffsitePlace;
  signal: AbortSignal;
  /** Whether other versions of the device are encrypted. */
  isEncrypted: boolean;
}

/** Writes the content of a copy to a file. @throws BackupError */
async function writeContent(
  { object: { name: id, size: packedSize }, named: about }: OurObject,
  { file, place, identities, trust, signal, isEncrypted: areOthers }: WriteOptions,
): Promise<void> {
  const what = `${place.url}/${id}`;
  const { device, day: time, digest, encrypted: isEncrypted } = about;
  const { backupKey, archived } = trust;
  const isArchive = archived === undefined ? undefined : device === archived;
  // Archives are always encrypted.
  const mayBeArchive = isArchive === undefined && areOthers && !isEncrypted;
  const facts = { what, id, isArchive: isArchive ?? false, mayBeArchive, isEncrypted };
  const admit = (match: Match) => admitCopy({ ...facts, match }, trust);
  // Before it is read, if nothing in it can authenticate it.
  if (backupKey === undefined || (isArchive && !isEncrypted))
    admitCopy({ ...facts, match: 'unknown' }, { ...trust, onUnauthenticated: undefined });
  const { bavail, bsize } = await statfs(dirname(file));
  const options = { identities, what, packedSize, freeBytes: bavail * bsize, isArchive };
  const save = (content: AsyncIterable<Uint8Array>, to: string) =>
    pipeline(content, createWriteStream(to, { mode: 0o600 }), { signal });
  const stored = place.read(id, signal);
  if (backupKey === undefined || !isArchive)
    return await save(unpacked(stored, about, { ...options, backupKey, admit }), file);
  // An archive is only unpacked if it may be used, and only what was authenticated.
  const packed = `${file}.packed`;
  try {
    await save(bounded(stored, options), packed);
    if (digest === (await archiveDigest(packed, { backupKey, device, time })))
      admit('authenticated');
    else if (digest === (await archiveDigest(packed, undefined))) admit('verified');
    else throw differs(what);
    await save(unpacked(createReadStream(packed), about, options), file);
  } finally {
    await rm(packed, { force: true });
  }
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
