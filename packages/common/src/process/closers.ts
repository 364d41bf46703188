import { settlesWithin } from '@skolo/base';
import type { Logger } from './log.ts';

/** Least time to close a part, even after the deadline. */
const leastMs = 500;

interface Closer {
  what: string;
  close: (withinMs: number) => Promise<void> | void;
}

/** Closes opened parts in reverse order when a process stops, within a deadline, and each one even if others fail. */
export class Closers {
  private readonly closers: Closer[] = [];

  add(what: string, close: Closer['close']): void {
    this.closers.push({ what, close });
  }

  async closeAll(withinMs: number, log: Logger): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (const { what, close } of this.closers.splice(0).reverse()) {
      const leftMs = Math.max(leastMs, deadline - performance.now());
      try {
        const inTime = await settlesWithin(leftMs, Promise.resolve(close(leftMs)));
        if (!inTime) log.warn({ what }, 'did not close in time');
      } catch (error) {
        log.error({ what, err: error }, 'did not close cleanly');
      }
    }
  }
}
