/** Time that a test passes: timers, clocks, and `setTimeout` of node:timers/promises, which Vitest leaves alone. */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { vi } from 'vitest';

type Wait = (ms?: number, value?: unknown, options?: { signal?: AbortSignal }) => Promise<unknown>;

const real = timers.setTimeout;

const simulated: Wait = (ms, value, { signal } = {}) =>
  new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });

function replace(setTimeout: Wait): void {
  Object.assign(timers, { setTimeout });
  // Modules that have imported it get this one.
  syncBuiltinESMExports();
}

/** Returns what ends it. */
export function simulateTime(): () => void {
  vi.useFakeTimers();
  replace(simulated);
  return () => {
    vi.useRealTimers();
    replace(real);
  };
}
