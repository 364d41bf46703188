/**
 * A Google Cloud Storage bucket, through its JSON API and Google's own client.
 *
 * Each object's metadata records when it was read, the device and model, and the MD5 that we sent. An object whose checksum still matches
 * is intact, although encryption makes each upload of the same content different.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File } from '@google-cloud/storage';
import { lazily } from '@skolo/base';
import { internetFetch, throughProxy } from '@skolo/base/internet';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { z } from 'zod';
import { notStored } from '../../git/storage-error.ts';
import { Patience } from '../patience.ts';
import {
  type ObjectAbout,
  type OffsitePlace,
  type StoredObject,
  withBackupErrors,
} from '../place.ts';
import { defaultEndpoint, type GcsClient, gcsClient } from './client.ts';
import { asBackupError, statusOf } from './error.ts';
import { isWhole, Metadata, Page, timeOf } from './metadata.ts';
import { defaultToken, type GetToken, serviceAccountToken } from './token.ts';

export interface GcsOptions {
  /** Returns a currently valid token; called for each request. */
  token?: GetToken;
  /** The key file of a service account. Without it and `token`: application default credentials. */
  keyFile?: Secret;
  /** Replaces Google's endpoint. */
  apiEndpoint?: string;
  /** Timeout without activity; default two minutes. */
  patienceMs?: number;
  /** Larger files are sent in chunks of this size, a multiple of 256 KiB. Default 4 MiB. */
  pieceBytes?: number;
}

const url = /^gs:\/\/(?<bucket>[^/]+)(?:\/(?<folder>.*))?$/;
const mostTries = 3;

/**
 * @param address `gs://BUCKET/FOLDER`
 * @throws BackupError `rejected`: the address cannot be used
 */
export function gcsPlace(address: string, options: GcsOptions = {}): OffsitePlace {
  const { bucket = '', folder = '' } = url.exec(address)?.groups ?? {};
  if (bucket === '') {
    throw new BackupError(
      'rejected',
      `${address}: the address must have the form gs://BUCKET/FOLDER`,
    );
  }
  const endpoint = options.apiEndpoint ?? defaultEndpoint;
  const place = new Bucket(bucket, folder.replace(/\/+$/, ''), options);
  return withBackupErrors(place, (at, error) =>
    asBackupError(at + throughProxy(endpoint, error), error),
  );
}

class Bucket implements OffsitePlace {
  readonly url: string;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly token: GetToken;
  private readonly pieceBytes: number;
  private readonly patience: Patience;
  private readonly downloads: Patience;
  private readonly client: () => Promise<GcsClient>;

  constructor(bucket: string, folder: string, options: GcsOptions) {
    const { patienceMs = 120_000, pieceBytes = 4 << 20, keyFile, apiEndpoint } = options;
    const token = options.token ?? (keyFile ? serviceAccountToken(keyFile) : defaultToken());
    this.url = `gs://${bucket}${folder === '' ? '' : `/${folder}`}`;
    this.bucket = bucket;
    this.prefix = folder === '' ? '' : `${folder}/`;
    this.token = token;
    this.pieceBytes = pieceBytes;
    this.patience = new Patience(this.url, patienceMs, { inTurn: false });
    this.downloads = new Patience(this.url, Math.min(patienceMs, 30_000));
    // The timeout only cleans up requests that were given up.
    this.client = lazily(() => gcsClient({ token, apiEndpoint, timeoutMs: patienceMs * 2 }));
  }

  async put(name: string, path: string, about: ObjectAbout, signal: AbortSignal): Promise<void> {
    const file = await this.fileOf(name);
    const sum = await sumOf(path, signal);
    for (let attempt = 1; ; attempt += 1) {
      const there = await this.metadataOf(file, signal);
      if (there && isWhole(there, sum.md5)) return await this.refresh(file, there, about, signal);
      try {
        await this.upload(name, path, about, { ...sum, replaces: there?.generation ?? 0 }, signal);
        break;
      } catch (error) {
        // Another process was faster, and its object may be intact.
        if (statusOf(error) !== 412 || attempt === mostTries) throw error;
      }
    }
    const stored = await this.metadataOf(file, signal);
    if (stored?.size === sum.size && stored.md5Hash === sum.md5) return;
    const found = stored ? `${stored.size} bytes with MD5 ${stored.md5Hash}` : 'nothing';
    throw new BackupError(
      'damaged',
      `${this.url}: ${name} was not stored correctly: sent ${sum.size} bytes with MD5 ${sum.md5}, but the bucket contains ${found}`,
    );
  }

  async list(signal: AbortSignal): Promise<StoredObject[]> {
    const { prefix } = this;
    const ofBucket = (await this.client()).calls.bucket(this.bucket);
    const objects: StoredObject[] = [];
    let pageToken: string | undefined;
    do {
      const page = { prefix, delimiter: '/', autoPaginate: false, ...(pageToken && { pageToken }) };
      const [, , answer] = await this.patience.for(() => ofBucket.getFiles(page), signal);
      const { items, nextPageToken } = this.understood(Page, answer);
      for (const object of items) {
        const { size, metadata } = object;
        const name = object.name.slice(prefix.length);
        if (name === '') continue;
        objects.push({ name, size, time: timeOf(object), model: metadata.model });
      }
      pageToken = nextPageToken;
    } while (pageToken !== undefined);
    return objects.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** With fetch: the client leaves a rejection unhandled if the connection breaks during a response. */
  async *read(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const object = encodeURIComponent((await this.fileOf(name)).name);
    const { baseUrl } = (await this.client()).calls;
    const url = `${baseUrl}/b/${encodeURIComponent(this.bucket)}/o/${object}?alt=media`;
    const stop = new AbortController();
    const idle = this.downloads.watch(signal, (error) => stop.abort(error));
    try {
      const headers = { authorization: `Bearer ${await this.token()}` };
      const response = await internetFetch(url, { headers, signal: stop.signal });
      if (!response.ok) {
        throw Object.assign(new Error(await response.text()), { code: response.status });
      }
      const hash = createHash('md5');
      for await (const chunk of response.body ?? []) {
        idle.alive();
        hash.update(chunk);
        yield chunk;
        idle.alive();
      }
      const [, md5] = /md5=([^,]+)/.exec(response.headers.get('x-goog-hash') ?? '') ?? [];
      if (md5 === hash.digest('base64')) return;
      throw new BackupError(
        'damaged',
        `${this.url}: the content of ${name} does not match its MD5 checksum`,
      );
    } catch (error) {
      throw idle.reason() ?? (error instanceof TypeError ? error.cause : error);
    } finally {
      idle.end();
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const file = await this.fileOf(name);
    await this.patience.for(() => file.delete({ ignoreNotFound: true }), signal);
  }

  private async fileOf(name: string, kind: keyof GcsClient = 'calls'): Promise<File> {
    if (name === '' || name.includes('/')) {
      throw new BackupError(
        'not-found',
        `${this.url}: ${JSON.stringify(name)} is not a valid object name`,
      );
    }
    return (await this.client())[kind].bucket(this.bucket).file(this.prefix + name);
  }

  private async upload(
    name: string,
    path: string,
    { device, time, model }: ObjectAbout,
    { md5, size, replaces }: Sum & { replaces: string | number },
    signal: AbortSignal,
  ): Promise<void> {
    const options = {
      metadata: {
        contentType: name.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream',
        // Verified by the receiver.
        md5Hash: md5,
        metadata: { device, time, md5, ...(model !== undefined && { model }) },
      },
      preconditionOpts: { ifGenerationMatch: replaces },
      // The client would delete a file that it finds faulty.
      validation: false,
    };
    if (size <= this.pieceBytes) {
      const file = await this.fileOf(name);
      const whole = file.createWriteStream({ ...options, resumable: false });
      return await this.send(path, whole, signal);
    }
    const file = await this.fileOf(name, 'uploads');
    // In two steps: if the client does both, it only signs in to the first, and only at a URL that it knows.
    const [uri] = await this.patience.for(() => file.createResumableUpload(options), signal);
    const chunkSize = this.pieceBytes;
    const pieces = file.createWriteStream({ ...options, uri, offset: 0, chunkSize });
    await this.send(path, pieces, signal);
  }

  /** Until all of it has arrived. */
  private async send(path: string, target: Writable, signal: AbortSignal): Promise<void> {
    const idle = this.patience.watch(signal, (error) => target.destroy(error));
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

  /** The same content was read again: records the latest time. */
  private async refresh(
    file: File,
    there: Metadata,
    { time }: ObjectAbout,
    signal: AbortSignal,
  ): Promise<void> {
    if (Date.parse(timeOf(there)) >= Date.parse(time)) return;
    await this.patience.for(() => file.setMetadata({ metadata: { time } }), signal);
  }

  private async metadataOf(file: File, signal: AbortSignal): Promise<Metadata | undefined> {
    try {
      const [answer] = await this.patience.for(() => file.getMetadata(), signal);
      return this.understood(Metadata, answer);
    } catch (error) {
      if (asBackupError(this.url, error).code === 'not-found') return undefined;
      throw error;
    }
  }

  private understood<T>(schema: z.ZodType<T>, answer: unknown): T {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new BackupError(
      'unreachable',
      `${this.url}: the response is not from the Cloud Storage API`,
    );
  }
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
