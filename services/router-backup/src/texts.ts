/**
 * Works on texts in a thread, because a device chooses their lines, and a caller how often: the process must respond meanwhile. The thread
 * has limits of time and memory, and runs one job at a time. Callers take turns. Results that may be shown again are kept.
 */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorCode, errorText, NamedError, withDeadline } from '@skolo/base';
import { Locks } from '@skolo/common';
import type { Jobs } from './texts/jobs.ts';

export type Input<N extends keyof Jobs> = Parameters<Jobs[N]>[0];
type Result<N extends keyof Jobs> = Awaited<ReturnType<Jobs[N]>>;
/** What the worker returns. */
type Answer<N extends keyof Jobs> = { result: Result<N> } | { error: string; isTooMuch: boolean };

/** For whom a job is; the service itself has no limit. */
export interface Requester {
  name: string;
  /** Charges the caller. @throws HttpProblem 429 */
  spend?(cost: number): void;
}

export interface TextLimits {
  /** For one job. */
  ms: number;
  heapMegabytes: number;
  /** All kept results. */
  keptBytes: number;
}

const usual: TextLimits = { ms: 10_000, heapMegabytes: 192, keptBytes: 16 * 1024 * 1024 };
/** A requester is charged 1 for each. */
const [msEach, bytesEach] = [100, 256 * 1024];
const idleMs = 30_000;

/** A job exceeded its limits. */
export class TooMuchWork extends NamedError {
  constructor(why: unknown) {
    super(`the text takes too much time or memory: ${errorText(why)}`);
  }
}

export class Texts {
  private readonly limits: TextLimits;
  private readonly turns = new Locks();
  private readonly closing = new AbortController();
  /** By key, the least recently used first. */
  private readonly kept = new Map<string, Uint8Array>();
  private keptBytes = 0;
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(limits: Partial<TextLimits> = {}) {
    this.limits = { ...usual, ...limits };
  }

  /**
   * A text to show, which is kept.
   *
   * @param key all that the text depends on; undefined: it contains secrets, and is not kept
   * @param prepare called only if the text is not known
   * @throws TooMuchWork; what `prepare` throws; HttpProblem 429
   */
  async shown<N extends 'text' | 'difference'>(
    name: N,
    { key, by }: { key: string | undefined; by: Requester },
    prepare: () => Promise<Input<N>>,
  ): Promise<Uint8Array> {
    const text =
      this.known(key) ??
      (await this.inTurn(by, async () => {
        const known = this.known(key);
        if (known !== undefined) return known;
        const made = await this.work(name, await prepare());
        this.store(key, made);
        return made;
      }));
    by.spend?.(Math.floor(text.length / bytesEach));
    return text;
  }

  /** Work of the service itself. @throws TooMuchWork */
  async run<N extends keyof Jobs>(name: N, input: Input<N>): Promise<Result<N>> {
    return await this.inTurn({ name: '' }, () => this.work(name, input));
  }

  /** Ends the job in progress; nothing more is done. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the service is stopping'));
    await this.end();
  }

  /** Each requester has at most one job in the queue. */
  private async inTurn<T>({ name, spend }: Requester, work: () => Promise<T>): Promise<T> {
    return await this.turns.hold(`of ${name}`, () =>
      this.turns.hold('worker', async () => {
        spend?.(0);
        const startedAt = performance.now();
        try {
          return await work();
        } finally {
          spend?.(Math.floor((performance.now() - startedAt) / msEach));
        }
      }),
    );
  }

  private async work<N extends keyof Jobs>(name: N, input: Input<N>): Promise<Result<N>> {
    const { ms } = this.limits;
    const { signal } = this.closing;
    const late = () => new TooMuchWork(`${name}: not finished within ${ms} ms`);
    signal.throwIfAborted();
    clearTimeout(this.idle);
    try {
      this.worker ??= this.start();
      const { worker } = this;
      worker.postMessage({ name, input });
      const [answer]: Answer<N>[] = await withDeadline({ ms, late, signal }, (either) =>
        once(worker, 'message', { signal: either }),
      );
      if (answer !== undefined && 'result' in answer) return answer.result;
      throw answer?.isTooMuch ? new TooMuchWork(answer.error) : new Error(answer?.error);
    } catch (error) {
      await this.end();
      throw errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY' ? new TooMuchWork(error) : error;
    } finally {
      this.idle = setTimeout(() => void this.end(), idleMs).unref();
    }
  }

  private async end(): Promise<void> {
    clearTimeout(this.idle);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private start(): Worker {
    // In a bundle, both files are in the same directory, too.
    const file = new URL(`./text-worker${extname(import.meta.filename)}`, import.meta.url);
    const { heapMegabytes: maxOldGenerationSizeMb } = this.limits;
    const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb } });
    worker.unref();
    // While it is idle, nobody else listens.
    worker.on('error', () => undefined);
    return worker;
  }

  private known(key: string | undefined): Uint8Array | undefined {
    const known = key === undefined ? undefined : this.kept.get(key);
    if (key === undefined || known === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, known);
    return known;
  }

  private store(key: string | undefined, text: Uint8Array): void {
    if (key === undefined) return;
    this.kept.set(key, text);
    this.keptBytes += sizeOf(text);
    for (const [oldest, each] of this.kept) {
      if (this.keptBytes <= this.limits.keptBytes) break;
      this.kept.delete(oldest);
      this.keptBytes -= sizeOf(each);
    }
  }
}

/** With its key. */
function sizeOf({ length }: Uint8Array): number {
  return 1024 + length;
}
