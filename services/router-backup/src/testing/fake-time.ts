/** A clock that only the test advances, including pauses. */
import { type FakeClock, fakeClock } from '@skolo/common/testing';

interface FakeTime {
  clock: FakeClock;
  /** For parameters that accept a `pause`. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Advances the time; pauses that are over by then end. */
  pass(ms: number): void;
  /** The number of current pauses. */
  readonly pauses: number;
}

export function fakeTime(wall: string): FakeTime {
  const clock = fakeClock(wall);
  const waiting = new Set<{ due: number; end: () => void }>();
  return {
    clock,
    pause: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const entry = { due: clock.uptime() + ms / 1000, end: resolve };
        waiting.add(entry);
        signal.addEventListener('abort', () => {
          if (waiting.delete(entry)) reject(signal.reason);
        });
      }),
    pass(ms) {
      clock.pass(ms);
      for (const entry of [...waiting]) {
        if (entry.due > clock.uptime() + 1e-6) continue;
        waiting.delete(entry);
        entry.end();
      }
    },
    get pauses() {
      return waiting.size;
    },
  };
}
