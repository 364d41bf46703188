/**
 * Requests with `wait_for_change=true`: each waits for its key's content to change, or until its own `timeout_sec`. Hundreds of them
 * cost a set entry and a timer each.
 */
import type { IncomingMessage } from 'node:http';
import { longestTimerMs } from '@skolo/base';

interface Watch {
  /** The caller's address; watchers per address are limited. */
  caller: string;
  request: IncomingMessage;
  /** Undefined: until it changes. */
  timeoutSeconds: number | undefined;
  hasChanged: () => boolean;
  /** Answers with the current content. */
  end: () => void;
}

export class Watchers {
  private readonly watches = new Map<Watch, NodeJS.Timeout | undefined>();
  private readonly perCaller = new Map<string, number>();
  private closed = false;

  /** The number of watchers. */
  countOf(caller: string): number {
    return this.perCaller.get(caller) ?? 0;
  }

  /** Longer waits are cut to the maximum of a timer. */
  add(watch: Watch): void {
    if (this.closed) {
      watch.end();
      return;
    }
    const { request, timeoutSeconds } = watch;
    if (request.destroyed) return;
    const timer =
      timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => this.end(watch), Math.min(timeoutSeconds * 1000, longestTimerMs));
    this.watches.set(watch, timer);
    this.perCaller.set(watch.caller, this.countOf(watch.caller) + 1);
    // After an answer, and when the caller hangs up. A response's event would not work: it is not emitted while the response waits for
    // earlier ones on the same connection.
    request.once('close', () => this.remove(watch));
  }

  /** Call this whenever something may have changed. */
  wake(): void {
    for (const watch of [...this.watches.keys()]) if (watch.hasChanged()) this.end(watch);
  }

  /** Releases all watchers, because the server stops. */
  close(): void {
    this.closed = true;
    for (const watch of [...this.watches.keys()]) this.end(watch);
  }

  get size(): number {
    return this.watches.size;
  }

  private end(watch: Watch): void {
    this.remove(watch);
    watch.end();
  }

  private remove(watch: Watch): void {
    clearTimeout(this.watches.get(watch));
    if (!this.watches.delete(watch)) return;
    const left = this.countOf(watch.caller) - 1;
    if (left > 0) this.perCaller.set(watch.caller, left);
    else this.perCaller.delete(watch.caller);
  }
}
