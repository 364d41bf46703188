import { pause } from './pause.ts';

/** Work that is repeated periodically, also after failures. */
export interface Repetition {
  /** Runs the work immediately, or again if it is running. */
  hurry(): void;
  /** Resolves after the signal, when no work is running. */
  readonly ended: Promise<void>;
}

/**
 * Runs `work` immediately, and again after a pause, until the signal. Failed work is also repeated. It never runs twice at the same time,
 * however long a disk or another service hangs, as work of a timer would.
 *
 * @param first `later`: after a pause, because the caller has just done it
 */
export function repeat(
  everyMs: number | (() => number),
  work: () => Promise<unknown>,
  signal: AbortSignal,
  first: 'now' | 'later' = 'now',
): Repetition {
  let wake = new AbortController();
  signal.addEventListener('abort', () => wake.abort(), { once: true });
  async function run(): Promise<void> {
    for (let isDue = first === 'now'; !signal.aborted; isDue = true) {
      wake = new AbortController();
      if (isDue) await work().catch(() => undefined);
      const ms = typeof everyMs === 'number' ? everyMs : everyMs();
      await pause(ms, wake.signal).catch(() => undefined);
    }
  }
  return { hurry: () => wake.abort(), ended: run() };
}
