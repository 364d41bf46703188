/**
 * Objects of one bucket, without versions: what is replaced is gone.
 *
 * Sources: https://cloud.google.com/storage/docs/json_api/v1/objects (the resource),
 * https://cloud.google.com/storage/docs/request-preconditions
 */
import { z } from 'zod';
import { md5Of } from './checksums.ts';
import { conditionNotMet, invalid, noSuchObject } from './rejection.ts';

/** What a client may say about an object. */
export const ObjectMetadata = z.looseObject({
  name: z.string().optional(),
  contentType: z.string().optional(),
  md5Hash: z.string().optional(),
  metadata: z.record(z.string(), z.string().nullable()).optional(),
});
export type ObjectMetadata = z.output<typeof ObjectMetadata>;

export interface BucketObject {
  name: string;
  content: Buffer;
  generation: string;
  metageneration: number;
  contentType: string;
  /** Of the content as the bucket has it. */
  md5Hash: string;
  timeCreated: string;
  updated: string;
  /** Custom metadata. */
  metadata: Record<string, string>;
}

/** `ifGenerationMatch`, from the query. */
export class Preconditions {
  private readonly query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.query = query;
  }

  /** @throws Rejection 412 */
  check(object: BucketObject | undefined): void {
    const generation = object?.generation ?? '0';
    if ((this.query.get('ifGenerationMatch') ?? generation) !== generation) throw conditionNotMet();
  }
}

export class Bucket {
  readonly name: string;
  private readonly objects = new Map<string, BucketObject>();
  private newest = 0n;

  constructor(name: string) {
    this.name = name;
  }

  find(name: string): BucketObject | undefined {
    return this.objects.get(name);
  }

  /** @throws Rejection 404 */
  get(name: string, generation: string | null = null): BucketObject {
    const object = this.objects.get(name);
    if (!object || (generation !== null && generation !== object.generation)) {
      throw noSuchObject(this.name, name);
    }
    return object;
  }

  /** Sorted by name, as UTF-8 sorts. */
  list(): BucketObject[] {
    return [...this.objects.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
    );
  }

  /**
   * @param stored what ends up in the bucket; the content, unless something silently goes wrong
   * @throws Rejection 400: the content is not what its checksums say
   */
  insert(name: string, about: ObjectMetadata, content: Buffer, stored = content): BucketObject {
    checkSum(about.md5Hash, md5Of(content));
    const time = new Date(Date.now()).toISOString();
    const object: BucketObject = {
      name,
      content: stored,
      generation: this.nextGeneration(),
      metageneration: 1,
      contentType: about.contentType ?? 'application/octet-stream',
      md5Hash: md5Of(stored),
      timeCreated: time,
      updated: time,
      metadata: merged({}, about.metadata),
    };
    this.objects.set(name, object);
    return object;
  }

  /** Another content behind the back of the metadata: what a broken disk does. */
  spoil(name: string, content: Buffer): void {
    this.get(name).content = content;
  }

  update(name: string, about: ObjectMetadata): BucketObject {
    const object = this.get(name);
    object.metadata = merged(object.metadata, about.metadata);
    object.contentType = about.contentType ?? object.contentType;
    object.metageneration += 1;
    object.updated = new Date(Date.now()).toISOString();
    return object;
  }

  delete(name: string): void {
    this.objects.delete(name);
  }

  /** The time in microseconds, never the same twice. */
  private nextGeneration(): string {
    const time = BigInt(Date.now()) * 1000n;
    this.newest = time > this.newest ? time : this.newest + 1n;
    return String(this.newest);
  }
}

function checkSum(said: string | undefined, calculated: string): void {
  if (said === undefined || said === calculated) return;
  throw invalid(`Provided MD5 hash "${said}" doesn't match calculated MD5 hash "${calculated}".`);
}

/** A value of null removes its key. */
function merged(
  before: Record<string, string>,
  changes: Record<string, string | null> = {},
): Record<string, string> {
  const all = Object.entries({ ...before, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}
