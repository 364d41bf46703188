/** Objects as the JSON API shows them. Numbers of 64 bits are strings. */
import { createHash } from 'node:crypto';
import type { Bucket, BucketObject } from './bucket.ts';

export function objectResource(url: string, bucket: Bucket, object: BucketObject): object {
  const path = `${encodeURIComponent(bucket.name)}/o/${encodeURIComponent(object.name)}`;
  const { generation, metageneration, metadata } = object;
  return {
    kind: 'storage#object',
    id: `${bucket.name}/${object.name}/${generation}`,
    selfLink: `${url}/storage/v1/b/${path}`,
    mediaLink: `${url}/download/storage/v1/b/${path}?generation=${generation}&alt=media`,
    name: object.name,
    bucket: bucket.name,
    generation,
    metageneration: String(metageneration),
    contentType: object.contentType,
    storageClass: 'STANDARD',
    size: String(object.content.length),
    md5Hash: object.md5Hash,
    etag: etagOf(object),
    timeCreated: object.timeCreated,
    updated: object.updated,
    timeStorageClassUpdated: object.timeCreated,
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

export function etagOf({ generation, metageneration }: BucketObject): string {
  return createHash('md5').update(`${generation}/${metageneration}`).digest('base64');
}
