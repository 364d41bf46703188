import { pause } from './pause.ts';

/** Work that is repeated periodically, also after failures. */
export interface Repetition {
  /** Runs the work immediately, or again if it is running. */
  hurry(): void;
  /** Resolves after the signal, when no work is running. */
  readonly ended: Promise<void>;
}

/** Runs `work` immediately, and again after a pause, until the signal. Failed work is also repeated. */
export function repeat(
  everyMs: number | (() => number),
  work: () => Promise<unknown>,
  signal: AbortSignal,
): Repetition {
  let wake = new AbortController();
  signal.addEventListener('abort', () => wake.abort(), { once: true });
  async function run(): Promise<void> {
    while (!signal.aborted) {
      wake = new AbortController();
      await work().catch(() => undefined);
      const ms = typeof everyMs === 'number' ? everyMs : everyMs();
      await pause(ms, wake.signal).catch(() => undefined);
    }
  }
  return { hurry: () => wake.abort(), ended: run() };
}
