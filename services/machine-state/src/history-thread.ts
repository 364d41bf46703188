/** Sends jobs to the thread with the history's database, which does one after the other. It stands beside `history-worker.ts`, as in a bundle. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HistoryJobs } from './history/jobs.ts';

export type JobName = keyof HistoryJobs;
export type Args<N extends JobName> = Parameters<HistoryJobs[N]>;
export type Result<N extends JobName> = ReturnType<HistoryJobs[N]>;

interface Waiting {
  since: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class HistoryThread {
  private readonly file: string;
  private readonly onDamage: (why: string) => void;
  /** In the order of the answers. */
  private waiting: Waiting[] = [];
  private answeredAt = 0;
  private worker: Worker | undefined;

  constructor(file: string, onDamage: (why: string) => void) {
    this.file = file;
    this.onDamage = onDamage;
  }

  /** For how long it has worked on the same job. */
  get silentMs(): number {
    const [oldest] = this.waiting;
    return oldest ? performance.now() - Math.max(oldest.since, this.answeredAt) : 0;
  }

  /** @throws Error The database cannot be used. */
  call<N extends JobName>(name: N, ...args: Args<N>): Promise<Result<N>> {
    this.worker ??= this.start();
    const { promise, ...settle } = Promise.withResolvers<Result<N>>();
    this.waiting.push({ since: performance.now(), ...settle });
    this.worker.postMessage({ name, args });
    return promise;
  }

  /** After all jobs. */
  async close(): Promise<void> {
    this.worker?.postMessage(null);
    if (this.worker) await once(this.worker, 'exit');
  }

  private start(): Worker {
    const file = new URL(`./history-worker${extname(import.meta.filename)}`, import.meta.url);
    const worker = new Worker(file, { workerData: this.file });
    // A disk that hangs does not keep the process from ending.
    worker.unref();
    worker.on('message', ({ result, error, code, damage }) => {
      if (damage !== undefined) return this.onDamage(damage);
      this.answeredAt = performance.now();
      const waiting = this.waiting.shift();
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(Object.assign(new Error(error), { code }));
    });
    worker.on('error', (error) => {
      this.worker = undefined;
      for (const { reject } of this.waiting.splice(0)) reject(error);
    });
    return worker;
  }
}
