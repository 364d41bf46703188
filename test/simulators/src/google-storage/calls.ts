import type { FaultKind } from './faults.ts';

/** `start` and `resume` are the two requests of a resumable upload; `insert` is any other. */
export const operations = [
  'insert',
  'start',
  'resume',
  'get',
  'media',
  'list',
  'update',
  'delete',
  'bucket',
  'unknown',
] as const;
export type Operation = (typeof operations)[number];

/** One request that reached the simulator, good or bad. */
export interface StorageCall {
  operation: Operation;
  method: string;
  /** With its query. */
  path: string;
  bucket?: string;
  object?: string;
  /** Of the Authorization header. */
  token?: string;
  /** The fault that it ran into. */
  fault?: FaultKind;
  /** Absent as long as there is no answer. */
  status?: number;
  /** The connection was gone before the whole answer was out. */
  hungUp: boolean;
}

/** The calls so far, and a way to wait for the next ones without polling. */
export class CallLog {
  readonly calls: StorageCall[] = [];
  private waiting: { match: (call: StorageCall) => boolean; count: number; go: () => void }[] = [];

  arrive(call: StorageCall): void {
    this.calls.push(call);
    this.update();
  }

  /** Something about a call has changed. */
  update(): void {
    this.waiting = this.waiting.filter(({ match, count, go }) => {
      if (this.calls.filter(match).length < count) return true;
      go();
      return false;
    });
  }

  /** Resolves once `count` calls that match have been seen since the start, at once when they have. */
  async seen(count: number, match: (call: StorageCall) => boolean): Promise<void> {
    await new Promise<void>((go) => {
      this.waiting.push({ match, count, go });
      this.update();
    });
  }
}
