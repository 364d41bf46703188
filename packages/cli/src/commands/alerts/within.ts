import { setTimeout } from 'node:timers/promises';

/** The time to connect is not measured. */
export function toConnect(ms: number): number {
  return Math.max(ms, 10_000);
}

/** An event that happens once. */
export class Expected {
  readonly happened: Promise<void>;
  happens: () => void = () => {};
  fails: (error: unknown) => void = () => {};

  constructor() {
    this.happened = new Promise((resolve, reject) => {
      this.happens = resolve;
      this.fails = reject;
    });
    // A rejection may come while no caller waits.
    this.happened.catch(() => undefined);
  }
}

/**
 * Whether the promise resolves in time.
 *
 * @throws The rejection, or the reason of the signal.
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
