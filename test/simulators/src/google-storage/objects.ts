/**
 * Reading, listing, changing and deleting objects.
 *
 * Source: https://cloud.google.com/storage/docs/json_api/v1/objects (get, list, patch, delete)
 */
import type { Answer } from '../cloud/web-server.ts';
import type { Arrived } from './arrived.ts';
import { type Bucket, type BucketObject, ObjectMetadata, Preconditions } from './bucket.ts';
import { invalid, Rejection } from './rejection.ts';
import { etagOf, objectResource } from './resource.ts';

export function getObject(url: string, bucket: Bucket, { object = '', query }: Arrived): Answer {
  return { status: 200, body: objectResource(url, bucket, found(bucket, object, query)) };
}

/** The whole content; a Range header is not obeyed. */
export function getMedia(bucket: Bucket, { object = '', query }: Arrived): Answer {
  const stored = found(bucket, object, query);
  const { content } = stored;
  const about = {
    'content-type': stored.contentType,
    etag: etagOf(stored),
    'x-goog-generation': stored.generation,
    'x-goog-metageneration': String(stored.metageneration),
    'x-goog-storage-class': 'STANDARD',
    'x-goog-hash': `md5=${stored.md5Hash}`,
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-stored-content-length': String(content.length),
  };
  return { status: 200, body: content, headers: about };
}

/** A page of objects by name, and of what they have in common before the delimiter. */
export function listObjects(
  url: string,
  bucket: Bucket,
  { query }: Arrived,
  largestPage: number,
): Answer {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const asked = Number(query.get('maxResults') ?? largestPage);
  if (!Number.isInteger(asked) || asked < 1) throw invalid('Invalid value for maxResults.');
  const size = Math.min(asked, largestPage);
  const after = afterToken(query.get('pageToken'));

  const entries = new Map<string, BucketObject | undefined>();
  for (const object of bucket.list()) {
    const { name } = object;
    if (!name.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    if (end < 0) entries.set(name, object);
    else entries.set(name.slice(0, end + delimiter.length), undefined);
  }
  const rest = [...entries].filter(([name]) => name > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const items = page.flatMap(([, object]) => (object ? [objectResource(url, bucket, object)] : []));
  const prefixes = page.flatMap(([name, object]) => (object ? [] : [name]));
  return {
    status: 200,
    body: {
      kind: 'storage#objects',
      ...(rest.length > size && last && { nextPageToken: tokenOf(last[0]) }),
      ...(prefixes.length > 0 && { prefixes }),
      ...(items.length > 0 && { items }),
    },
  };
}

export function updateObject(url: string, bucket: Bucket, arrived: Arrived, body: Buffer): Answer {
  const { object = '', query } = arrived;
  found(bucket, object, query);
  const updated = bucket.update(object, parseMetadata(body));
  return { status: 200, body: objectResource(url, bucket, updated) };
}

export function deleteObject(bucket: Bucket, { object = '', query }: Arrived): Answer {
  found(bucket, object, query);
  bucket.delete(object);
  return { status: 204, body: '' };
}

/** @throws Rejection 400 */
export function parseMetadata(body: Buffer): ObjectMetadata {
  if (body.length === 0) return {};
  try {
    return ObjectMetadata.parse(JSON.parse(body.toString()));
  } catch {
    throw new Rejection(400, 'parseError', 'Parse Error');
  }
}

function found(bucket: Bucket, name: string, query: URLSearchParams): BucketObject {
  const object = bucket.get(name, query.get('generation'));
  new Preconditions(query).check(object);
  return object;
}

function tokenOf(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function afterToken(token: string | null): string {
  return token === null ? '' : Buffer.from(token, 'base64url').toString();
}
