import { pause } from '@skolo/base';

/** Does `work` at once, and again so many seconds after each end, until the signal. Work that fails is repeated, too. */
export function repeat(
  seconds: number | (() => number),
  work: () => Promise<unknown>,
  signal: AbortSignal,
): void {
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await work().catch(() => undefined);
      const every = typeof seconds === 'number' ? seconds : seconds();
      await pause(every * 1000, signal).catch(() => undefined);
    }
  }
  void run();
}
