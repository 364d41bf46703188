import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallLog } from '../cloud/call-log.ts';
import { CallFaults } from '../cloud/fault.ts';
import { WebServer } from '../cloud/web-server.ts';
import { arrivedOf } from './arrived.ts';
import type { BucketObject } from './bucket.ts';
import type { Operation, StorageCall } from './calls.ts';
import { Fault, type FaultKind, type FaultOptions, playInstead } from './faults.ts';
import type { Answer } from './objects.ts';
import { type Permission, Rejection } from './rejection.ts';
import { bodyOf, Dropped, StorageApi } from './storage-api.ts';

export interface GoogleStorageOptions {
  /** Buckets that exist from the start. */
  buckets?: string[];
  /** Whether a bearer token, or none, is good; any, and none, is when absent. */
  accepts?: (token: string | undefined) => boolean;
  /** Wall clock, milliseconds since 1970; the computer's when absent. */
  clock?: { now(): number };
  /** 0, any free one, when absent. */
  port?: number;
}

/** Google Cloud Storage on loopback; see `startGoogleStorage`. */
export interface GoogleStorage {
  /** `http://127.0.0.1:PORT`: `apiEndpoint` of the client, or STORAGE_EMULATOR_HOST. */
  readonly url: string;
  addBucket(name: string): void;
  /** What a bucket holds, sorted by name. */
  objects(bucket: string): readonly BucketObject[];
  /** Puts an object there, as another client would have. */
  put(bucket: string, name: string, content: Buffer, metadata?: Record<string, string>): void;
  /** Changes one bit of the content that is stored, and not its checksums. */
  spoil(bucket: string, name: string): void;
  delete(bucket: string, name: string): void;
  /** Objects in a page of a list; 1,000, as Google's, until it is set. */
  largestPage: number;
  /** Takes a permission from everybody, or gives it back. */
  withhold(permission: Permission): void;
  grant(permission: Permission): void;

  /** Every request so far, oldest first. */
  readonly calls: readonly StorageCall[];
  /** Resolves once this many requests have arrived, of these operations where given. */
  callsSeen(count: number, ...operations: Operation[]): Promise<void>;
  /** Resolves once clients have given up this many requests. */
  hungUp(count: number): Promise<void>;

  /** Misbehaves at the next calls; faults asked for earlier come first. */
  misbehave(kind: FaultKind, options?: FaultOptions): Fault;
  /** Ends all misbehaviour. */
  behave(): void;
  /** An outage: connections are refused, those that are open end. */
  goDown(): Promise<void>;
  /** The same address again, with all that was stored. */
  comeUp(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a server on 127.0.0.1 that behaves as the JSON API of Google Cloud Storage: buckets, and objects that are
 * uploaded in one request or resumably, read, listed page by page, changed and deleted, with their checksums,
 * generations and preconditions. It keeps books, and it fails on demand.
 */
export async function startGoogleStorage(
  options: GoogleStorageOptions = {},
): Promise<GoogleStorage> {
  const { buckets = [], accepts = () => true, clock = Date, port = 0 } = options;
  const api = new StorageApi({ now: () => clock.now(), accepts });
  const log = new CallLog<StorageCall>();
  const faults = new CallFaults<Fault>();
  for (const name of buckets) api.addBucket(name);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    log.arrive(call);
    const fault = faults.find((candidate) => candidate.applies(operation));
    fault?.hit(call);
    response.on('close', () => {
      call.hungUp = !response.writableFinished;
      log.done();
    });

    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'slow') await fault.hold();
    if (fault && playInstead(fault.kind, response)) {
      request.resume();
      if (response.headersSent) call.status = response.statusCode;
      return;
    }
    const answer = await answerTo(() => api.answer(arrived, bodyOf(request, fault), fault));
    if (!answer) return;
    request.resume();
    call.status = answer.status;
    write(response, answer, fault?.kind === 'drop');
  }

  const server = new WebServer(serve, port);
  await server.open();
  api.url = server.url;

  const bucketOf = (name: string) => {
    const bucket = api.buckets.get(name);
    if (!bucket) throw new Error(`the simulator has no bucket ${name}`);
    return bucket;
  };

  return {
    url: api.url,
    addBucket: (name) => void api.addBucket(name),
    objects: (bucket) => bucketOf(bucket).list(),
    put: (bucket, name, content, metadata = {}) =>
      void bucketOf(bucket).insert(name, { metadata }, content),
    spoil: (bucket, name) => {
      const content = Buffer.from(bucketOf(bucket).get(name).content);
      const middle = Math.floor(content.length / 2);
      content[middle] = (content[middle] ?? 0) ^ 1;
      bucketOf(bucket).spoil(name, content);
    },
    delete: (bucket, name) => bucketOf(bucket).delete(name),
    get largestPage() {
      return api.largestPage;
    },
    set largestPage(count) {
      api.largestPage = count;
    },
    withhold: (permission) => void api.withheld.add(permission),
    grant: (permission) => void api.withheld.delete(permission),

    calls: log.calls,
    callsSeen: (count, ...operations) =>
      log.seen(count, ({ operation }) => operations.length === 0 || operations.includes(operation)),
    hungUp: (count) => log.seen(count, (call) => call.hungUp),

    misbehave: (kind, faultOptions = {}) => faults.add(new Fault(kind, faultOptions, log)),
    behave: () => faults.clear(),
    goDown: () => server.close(),
    comeUp: () => server.open(),
    close: async () => {
      faults.clear();
      await server.close();
    },
  };
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
