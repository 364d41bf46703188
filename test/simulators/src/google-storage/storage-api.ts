/** The operations of the JSON API on the buckets; what is wrong with a request is thrown as a Rejection. */
import type { Answer } from '../cloud/web-server.ts';
import type { Arrived } from './arrived.ts';
import { Bucket, type ObjectMetadata, Preconditions } from './bucket.ts';
import { hashesOf, nameOf, readInsert } from './inserts.ts';
import {
  deleteObject,
  getMedia,
  getObject,
  listObjects,
  parseMetadata,
  updateObject,
} from './objects.ts';
import { forbidden, noSuchBucket, notSignedIn, type Permission, Rejection } from './rejection.ts';
import { objectResource } from './resource.ts';
import { aboutOf, isWhole, Receiver, rangeOf, type Session, Sessions } from './resumable.ts';

const largestBody = 256 * 1024 * 1024;

/** The request's content, as it comes. */
type Body = AsyncIterable<Buffer>;

export class StorageApi {
  readonly buckets = new Map<string, Bucket>();
  readonly withheld = new Set<Permission>();
  largestPage = 1000;
  /** How many uploads it still stores with one bit changed. */
  spoils = 0;
  url = '';
  private readonly sessions = new Sessions();
  private readonly accepts: (token: string | undefined) => boolean;

  constructor(accepts: (token: string | undefined) => boolean) {
    this.accepts = accepts;
  }

  addBucket(name: string): Bucket {
    const bucket = new Bucket(name);
    this.buckets.set(name, bucket);
    return bucket;
  }

  async answer(arrived: Arrived, body: Body): Promise<Answer> {
    const { operation } = arrived;
    if (operation === 'unknown') return { status: 404, body: 'Not Found' };
    if (operation === 'resume') return await this.resume(arrived, body);
    if (!this.accepts(arrived.token)) throw notSignedIn(arrived.token !== undefined);
    const bucket = this.buckets.get(arrived.bucket ?? '');
    if (!bucket) throw noSuchBucket();
    switch (operation) {
      case 'insert': {
        const { name, about, content } = readInsert(arrived, await whole(body));
        return this.insert(bucket, name, about, content, new Preconditions(arrived.query));
      }
      case 'start':
        return this.start(bucket, arrived, await whole(body));
      case 'get':
        this.require('storage.objects.get');
        return getObject(this.url, bucket, arrived);
      case 'media':
        this.require('storage.objects.get');
        return getMedia(bucket, arrived);
      case 'list':
        this.require('storage.objects.list');
        return listObjects(this.url, bucket, arrived, this.largestPage);
      case 'update':
        this.require('storage.objects.update');
        return updateObject(this.url, bucket, arrived, await whole(body));
      case 'delete':
        this.require('storage.objects.delete');
        return deleteObject(bucket, arrived);
    }
  }

  private insert(
    bucket: Bucket,
    name: string,
    about: ObjectMetadata,
    content: Buffer,
    preconditions: Preconditions,
  ): Answer {
    this.mayWrite(bucket, name);
    preconditions.check(bucket.find(name));
    const isSpoilt = this.spoils > 0;
    if (isSpoilt) this.spoils -= 1;
    const stored = isSpoilt ? spoilt(content) : content;
    const object = bucket.insert(name, about, content, stored);
    return { status: 200, body: objectResource(this.url, bucket, object) };
  }

  private start(bucket: Bucket, { query, headers }: Arrived, body: Buffer): Answer {
    const type = headers['x-upload-content-type'];
    const said = parseMetadata(body);
    const about = {
      ...(typeof type === 'string' && { contentType: type }),
      ...said,
      ...hashesOf(headers),
    };
    const name = nameOf(query, about);
    const preconditions = new Preconditions(query);
    this.mayWrite(bucket, name);
    preconditions.check(bucket.find(name));
    const { id } = this.sessions.start({ bucket: bucket.name, name, about, preconditions });
    const address = new URL(`${this.url}/upload/storage/v1/b/${bucket.name}/o`);
    address.search = new URLSearchParams({
      uploadType: 'resumable',
      name,
      upload_id: id,
    }).toString();
    return { status: 200, body: '', headers: { location: address.href } };
  }

  private async resume(arrived: Arrived, body: Body): Promise<Answer> {
    const session = this.sessions.get(arrived.query.get('upload_id'));
    if (session.done) return { status: 200, body: session.done };
    const range = rangeOf(arrived);
    if (range.from !== undefined) {
      const receiver = new Receiver(session, range.from);
      try {
        for await (const chunk of limited(body, session.size)) receiver.take(chunk);
      } catch (error) {
        receiver.cut();
        throw error;
      }
      if (!isWhole(session, range)) receiver.cut();
    }
    if (!isWhole(session, range)) return incomplete(session);
    const bucket = this.buckets.get(session.bucket);
    if (!bucket) throw noSuchBucket();
    const content = Buffer.concat(session.received);
    const { name, preconditions } = session;
    const answer = this.insert(bucket, name, aboutOf(session, arrived), content, preconditions);
    if (typeof answer.body === 'object') session.done = answer.body;
    session.received = [];
    return answer;
  }

  /** To replace an object takes the permission to delete it. */
  private mayWrite(bucket: Bucket, name: string): void {
    this.require('storage.objects.create');
    if (bucket.find(name)) this.require('storage.objects.delete');
  }

  private require(permission: Permission): void {
    if (this.withheld.has(permission)) throw forbidden(permission);
  }
}

/** The same with one bit changed. */
export function spoilt(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy[0] = (copy[0] ?? 0) ^ 1;
  return copy;
}

function incomplete({ size }: Session): Answer {
  const headers = size > 0 ? { range: `bytes=0-${size - 1}` } : {};
  return { status: 308, body: '', headers };
}

async function whole(body: Body): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of limited(body, 0)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* limited(body: Body, before: number): Body {
  let size = before;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > largestBody) throw new Rejection(413, 'uploadTooLarge', 'Request Too Large');
    yield chunk;
  }
}
