/**
 * A bucket of Google Cloud Storage, by its JSON API and Google's own client.
 *
 * Beside each object is kept when it was read, of which device and model, and the MD5 that we sent: an object whose
 * checksum is still that one is whole, although its encryption makes it another each time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File } from '@google-cloud/storage';
import { BackupError } from '@skolo/models/configuration';
import type { Secret } from '@skolo/secrets';
import type { z } from 'zod';
import { notStored } from '../../git/storage-error.ts';
import { Patience } from '../patience.ts';
import {
  type ObjectAbout,
  type OffsitePlace,
  type StoredObject,
  withBackupErrors,
} from '../place.ts';
import { type GcsClient, gcsClient } from './client.ts';
import { asBackupError, statusOf } from './error.ts';
import { isWhole, Metadata, Page, timeOf } from './metadata.ts';
import { defaultToken, type GetToken, serviceAccountToken } from './token.ts';

export interface GcsOptions {
  /** Gives a token that is good now; asked for each request. */
  token?: GetToken;
  /** The key file of a service account. Without it and `token`: application default credentials. */
  keyFile?: Secret;
  /** In place of Google's. */
  apiEndpoint?: string;
  /** It is given up when nothing happens for so long; default two minutes. */
  patienceMs?: number;
  /** Larger files are sent in pieces of this size, a multiple of 256 KiB. Default 4 MiB. */
  pieceBytes?: number;
}

const url = /^gs:\/\/(?<bucket>[^/]+)(?:\/(?<folder>.*))?$/;
const mostTries = 3;

/**
 * @param address `gs://BUCKET/FOLDER`
 * @throws BackupError `refused`: the address cannot be used
 */
export function gcsPlace(address: string, options: GcsOptions = {}): OffsitePlace {
  const { bucket = '', folder = '' } = url.exec(address)?.groups ?? {};
  if (bucket === '') {
    throw new BackupError('refused', `${address}: is not gs://BUCKET/FOLDER`);
  }
  const { patienceMs = 120_000, pieceBytes = 4 << 20, keyFile, apiEndpoint } = options;
  const token = options.token ?? (keyFile ? serviceAccountToken(keyFile) : defaultToken());
  const prefix = folder.replace(/\/+$/, '') === '' ? '' : `${folder.replace(/\/+$/, '')}/`;
  const place = `gs://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`;
  const patience = new Patience(place, patienceMs, { inTurn: false });
  const downloads = new Patience(place, Math.min(patienceMs, 30_000));
  let loading: Promise<GcsClient> | undefined;

  async function fileOf(name: string, kind: keyof GcsClient = 'calls'): Promise<File> {
    if (name === '' || name.includes('/')) {
      throw new BackupError('not-found', `${place}: ${JSON.stringify(name)} is no name there`);
    }
    return (await client())[kind].bucket(bucket).file(prefix + name);
  }

  async function client(): Promise<GcsClient> {
    loading ??= gcsClient({
      token,
      // Only so that nothing is left of what was given up.
      timeoutMs: patienceMs * 2,
      ...(apiEndpoint !== undefined && { apiEndpoint }),
    });
    return await loading;
  }

  async function put(name: string, path: string, about: ObjectAbout, signal: AbortSignal) {
    const file = await fileOf(name);
    const sum = await sumOf(path, signal);
    for (let attempt = 1; ; attempt += 1) {
      const there = await metadataOf(file, signal);
      if (there && isWhole(there, sum.md5)) return await refresh(file, there, about, signal);
      try {
        await upload(name, path, about, { ...sum, replaces: there?.generation ?? 0 }, signal);
        break;
      } catch (error) {
        // Somebody was faster: what he put there may be good.
        if (statusOf(error) !== 412 || attempt === mostTries) throw error;
      }
    }
    const stored = await metadataOf(file, signal);
    if (stored?.size === sum.size && stored.md5Hash === sum.md5) return;
    const found = stored ? `${stored.size} bytes with MD5 ${stored.md5Hash}` : 'nothing';
    throw new BackupError(
      'damaged',
      `${place}: ${name} is not there as it was sent: ${sum.size} bytes with MD5 ${sum.md5} were sent, there is ${found}`,
    );
  }

  async function upload(
    name: string,
    path: string,
    about: ObjectAbout,
    { md5, size, replaces }: Sum & { replaces: string | number },
    signal: AbortSignal,
  ) {
    const { device, time, model } = about;
    const options = {
      metadata: {
        contentType: name.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream',
        // Checked where it arrives.
        md5Hash: md5,
        metadata: { device, time, md5, ...(model !== undefined && { model }) },
      },
      preconditionOpts: { ifGenerationMatch: replaces },
      // The client would delete what it finds wrong.
      validation: false,
    };
    if (size <= pieceBytes) {
      const file = await fileOf(name);
      return await send(path, file.createWriteStream({ ...options, resumable: false }), signal);
    }
    const file = await fileOf(name, 'uploads');
    // In two steps, because the client signs in the first of them only at an address that it knows, if it takes both itself.
    const [uri] = await patience.for(() => file.createResumableUpload(options), signal);
    await send(
      path,
      file.createWriteStream({ ...options, uri, offset: 0, chunkSize: pieceBytes }),
      signal,
    );
  }

  /** Until all of it has arrived. */
  async function send(path: string, target: Writable, signal: AbortSignal) {
    const idle = patience.watch(signal, (error) => target.destroy(error));
    target.on('progress', idle.alive);
    const source = createReadStream(path).on('data', idle.alive);
    try {
      await pipeline(source, target);
    } catch (error) {
      throw idle.reason() ?? error;
    } finally {
      idle.end();
    }
  }

  /** The same content was read again: the place is to know of the last time. */
  async function refresh(file: File, there: Metadata, about: ObjectAbout, signal: AbortSignal) {
    if (Date.parse(timeOf(there)) >= Date.parse(about.time)) return;
    await patience.for(() => file.setMetadata({ metadata: { time: about.time } }), signal);
  }

  async function metadataOf(file: File, signal: AbortSignal): Promise<Metadata | undefined> {
    try {
      const [answer] = await patience.for(() => file.getMetadata(), signal);
      return understood(Metadata, answer);
    } catch (error) {
      const failure = asBackupError(place, error);
      if (failure.code === 'not-found') return undefined;
      throw error;
    }
  }

  async function list(signal: AbortSignal): Promise<StoredObject[]> {
    const ofBucket = (await client()).calls.bucket(bucket);
    const objects: StoredObject[] = [];
    let pageToken: string | undefined;
    do {
      const query = {
        prefix,
        delimiter: '/',
        autoPaginate: false,
        ...(pageToken && { pageToken }),
      };
      const [, , answer] = await patience.for(() => ofBucket.getFiles(query), signal);
      const page = understood(Page, answer);
      for (const object of page.items) {
        const { size, metadata } = object;
        const name = object.name.slice(prefix.length);
        if (name === '') continue;
        objects.push({ name, size, time: timeOf(object), model: metadata.model });
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return objects.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** By fetch: the client leaves a rejection unhandled when the connection breaks in the middle of an answer. */
  async function get(name: string, signal: AbortSignal): Promise<Buffer> {
    await fileOf(name);
    const { baseUrl } = (await client()).calls;
    const url = `${baseUrl}/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(prefix + name)}?alt=media`;
    const stop = new AbortController();
    const idle = downloads.watch(signal, (error) => stop.abort(error));
    try {
      const headers = { authorization: `Bearer ${await token()}` };
      const response = await fetch(url, { headers, signal: stop.signal });
      if (!response.ok) {
        throw Object.assign(new Error(await response.text()), { code: response.status });
      }
      const hash = createHash('md5');
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body ?? []) {
        idle.alive();
        hash.update(chunk);
        chunks.push(chunk);
      }
      const [, md5] = /md5=([^,]+)/.exec(response.headers.get('x-goog-hash') ?? '') ?? [];
      if (md5 === hash.digest('base64')) return Buffer.concat(chunks);
      throw new BackupError('damaged', `${place}: ${name} does not have the content that it had`);
    } catch (error) {
      throw idle.reason() ?? (error instanceof TypeError ? error.cause : error);
    } finally {
      idle.end();
    }
  }

  async function remove(name: string, signal: AbortSignal): Promise<void> {
    const file = await fileOf(name);
    await patience.for(() => file.delete({ ignoreNotFound: true }), signal);
  }

  function understood<T>(schema: z.ZodType<T>, answer: unknown): T {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new BackupError('unreachable', `${place}: answers what is not Cloud Storage's API`);
  }

  return withBackupErrors({ url: place, put, list, get, remove }, asBackupError);
}

interface Sum {
  size: number;
  md5: string;
}

async function sumOf(path: string, signal: AbortSignal): Promise<Sum> {
  const hash = createHash('md5');
  try {
    const { size } = await stat(path);
    await pipeline(createReadStream(path), hash, { signal });
    return { size, md5: hash.digest('base64') };
  } catch (error) {
    signal.throwIfAborted();
    throw notStored(`${path} cannot be read`, error);
  }
}
