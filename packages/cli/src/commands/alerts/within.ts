import { setTimeout } from 'node:timers/promises';

/** To connect takes some time, which is not part of what is measured. */
export function toConnect(ms: number): number {
  return Math.max(ms, 10_000);
}

/** Something that is to happen once. */
export class Expected {
  readonly happened: Promise<void>;
  happens: () => void = () => {};
  fails: (error: unknown) => void = () => {};

  constructor() {
    this.happened = new Promise((resolve, reject) => {
      this.happens = resolve;
      this.fails = reject;
    });
    // Perhaps nobody is waiting for it by then.
    this.happened.catch(() => undefined);
  }
}

/**
 * Whether it is fulfilled in time.
 *
 * @throws What it is rejected with; the reason of the signal, when that is aborted first.
 */
export async function within(
  promise: Promise<unknown>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const timer = new AbortController();
  try {
    const late = setTimeout(ms, false, { signal: AbortSignal.any([signal, timer.signal]) });
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
