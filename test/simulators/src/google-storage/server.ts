import type { IncomingMessage, ServerResponse } from 'node:http';
import { CallLog } from '../cloud/call-log.ts';
import { ScriptedAnswers, type ScriptOptions } from '../cloud/scripted.ts';
import { type Answer, send, WebServer } from '../cloud/web-server.ts';
import type { Relay } from '../relay.ts';
import { arrivedOf } from './arrived.ts';
import type { Bucket, BucketObject } from './bucket.ts';
import type { Operation, StorageCall } from './calls.ts';
import { type Permission, Rejection } from './rejection.ts';
import { StorageApi, spoilt } from './storage-api.ts';

export interface GoogleStorageOptions {
  /** Buckets that exist from the start. */
  buckets?: string[];
  /** Whether a bearer token, or none, is good; any, and none, is when absent. */
  accepts?: (token: string | undefined) => boolean;
}

/**
 * Starts a server on 127.0.0.1 that behaves as the JSON API of Google Cloud Storage: objects that are uploaded in one request or resumably, read, listed page by page, changed and deleted, with their checksums,
 * generations and preconditions. It keeps books, and answers what a test scripts.
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
  private readonly scripted = new ScriptedAnswers<Answer, Operation>();
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

  /** Puts a relay in front of it, which has its address from now on. */
  async behindRelay(): Promise<Relay> {
    const relay = await this.server.behindRelay();
    this.api.url = this.url;
    return relay;
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
    this.bucket(bucket).spoil(name, spoilt(content));
  }

  /** Stores the next uploads with one bit changed, and the checksums of that. */
  spoilUploads(count: number): void {
    this.api.spoils = count;
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

  /** Answers the next calls with this; what was scripted earlier comes first. */
  script(answer: Answer, options?: ScriptOptions<Operation>): void {
    this.scripted.add(answer, options);
  }

  /** Answers and stores as Google does again. */
  behave(): void {
    this.scripted.clear();
    this.api.spoils = 0;
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
    };
    this.log.arrive(call);
    const scripted = this.scripted.next(operation);
    const answer = scripted ?? (await answerTo(() => this.api.answer(arrived, request)));
    if (!answer) return;
    request.resume();
    call.status = answer.status;
    response.setHeader('x-guploader-uploadid', 'simulated');
    send(response, answer);
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
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The client went away while it sent. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}
