import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallLog } from '../cloud/call-log.ts';
import { CallFaults, playInstead } from '../cloud/fault.ts';
import { WebServer } from '../cloud/web-server.ts';
import { arrivedOf } from './arrived.ts';
import type { Bucket, BucketObject } from './bucket.ts';
import type { Operation, StorageCall } from './calls.ts';
import {
  corrupted,
  errors,
  type Fault,
  type FaultKind,
  type StorageFaultOptions,
} from './faults.ts';
import type { Answer } from './objects.ts';
import { type Permission, Rejection } from './rejection.ts';
import { bodyOf, Dropped, StorageApi } from './storage-api.ts';

export interface GoogleStorageOptions {
  /** Buckets that exist from the start. */
  buckets?: string[];
  /** Whether a bearer token, or none, is good; any, and none, is when absent. */
  accepts?: (token: string | undefined) => boolean;
}

/**
 * Starts a server on 127.0.0.1 that behaves as the JSON API of Google Cloud Storage: objects that are uploaded in one request or resumably, read, listed page by page, changed and deleted, with their checksums,
 * generations and preconditions. It keeps books, and it fails on demand.
 */
export async function startGoogleStorage(
  options: GoogleStorageOptions = {},
): Promise<GoogleStorage> {
  const started = new GoogleStorage(options);
  await started.comeUp();
  return started;
}

/** Google Cloud Storage on loopback; see `startGoogleStorage`. */
export class GoogleStorage {
  private readonly api: StorageApi;
  private readonly log = new CallLog<StorageCall>();
  private readonly faults = new CallFaults<FaultKind, StorageCall, Operation, StorageFaultOptions>(
    this.log,
  );
  private readonly server: WebServer;

  constructor({ buckets = [], accepts = () => true }: GoogleStorageOptions) {
    this.api = new StorageApi(accepts);
    this.server = new WebServer((request, response) => this.serve(request, response));
    for (const name of buckets) this.api.addBucket(name);
  }

  /** `http://127.0.0.1:PORT`: `apiEndpoint` of the client, or STORAGE_EMULATOR_HOST. */
  get url(): string {
    return this.server.url;
  }

  /** What a bucket holds, sorted by name. */
  objects(bucket: string): readonly BucketObject[] {
    return this.bucket(bucket).list();
  }

  /** Puts an object there, as another client would have. */
  put(bucket: string, name: string, content: Buffer, metadata: Record<string, string> = {}): void {
    this.bucket(bucket).insert(name, { metadata }, content);
  }

  /** Changes one bit of the content that is stored, and not its checksums. */
  spoil(bucket: string, name: string): void {
    const { content } = this.bucket(bucket).get(name);
    this.bucket(bucket).spoil(name, corrupted(content));
  }

  /** Objects in a page of a list; 1,000, as Google's, until it is set. */
  get largestPage(): number {
    return this.api.largestPage;
  }

  set largestPage(count: number) {
    this.api.largestPage = count;
  }

  /** Takes a permission from everybody. */
  withhold(permission: Permission): void {
    this.api.withheld.add(permission);
  }

  /** Every request so far, oldest first. */
  get calls(): readonly StorageCall[] {
    return this.log.calls;
  }

  /** Resolves once this many requests have arrived, of these operations where given. */
  async callsSeen(count: number, ...operations: Operation[]): Promise<void> {
    await this.log.seen(
      count,
      ({ operation }) => operations.length === 0 || operations.includes(operation),
    );
  }

  /** Resolves once clients have given up this many requests. */
  async hungUp(count: number): Promise<void> {
    await this.log.seen(count, (call) => call.hungUp);
  }

  /** Misbehaves at the next calls; faults asked for earlier come first. */
  misbehave(kind: FaultKind, options: StorageFaultOptions = {}): Fault {
    return this.faults.add(kind, options);
  }

  /** Ends all misbehaviour. */
  behave(): void {
    this.faults.clear();
  }

  /** An outage: connections are refused, those that are open end. */
  async goDown(): Promise<void> {
    await this.server.close();
  }

  /** The same address again, with all that was stored. */
  async comeUp(): Promise<void> {
    await this.server.open();
    this.api.url = this.url;
  }

  async close(): Promise<void> {
    this.behave();
    await this.goDown();
  }

  private bucket(name: string): Bucket {
    const bucket = this.api.buckets.get(name);
    if (!bucket) throw new Error(`the simulator has no bucket ${name}`);
    return bucket;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrived = arrivedOf(request);
    const { operation, method, path, bucket, object, token } = arrived;
    const call: StorageCall = {
      operation,
      method,
      path,
      ...(bucket !== undefined && { bucket }),
      ...(object !== undefined && { object }),
      ...(token !== undefined && { token }),
      hungUp: false,
    };
    this.log.arrive(call);
    const fault = this.faults.hit(call, operation);
    response.on('close', () => {
      call.hungUp = !response.writableFinished;
      this.log.update();
    });

    if (fault?.kind === 'slow') await fault.hold();
    if (fault && playInstead(fault.kind, response, errors)) {
      request.resume();
      if (response.headersSent) call.status = response.statusCode;
      return;
    }
    const answer = await answerTo(() => this.api.answer(arrived, bodyOf(request, fault), fault));
    if (!answer) return;
    request.resume();
    call.status = answer.status;
    write(response, answer, fault?.kind === 'drop');
  }
}

/** Undefined: there is nobody to answer. */
async function answerTo(ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Rejection) {
      const { status, body, headers } = error;
      return { status, body, headers };
    }
    if (error instanceof Dropped || isGone(error)) return undefined;
    throw error;
  }
}

/** The client went away while it sent. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

function write(response: ServerResponse, { status, body, headers }: Answer, isCut: boolean): void {
  const isText = typeof body === 'string';
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(isText ? body : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=UTF-8',
    ...(status !== 204 && { 'content-length': bytes.length }),
    'x-guploader-uploadid': 'simulated',
    ...headers,
  });
  if (!isCut) return void response.end(bytes);
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  response.write(half, () => response.socket?.resetAndDestroy());
}
