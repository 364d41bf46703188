/** Time that passes when a test says so; for the tests of services, too: `@skolo/common/testing`. */
import type { Clock } from '../process/clock.ts';
import { Presence } from '../process/presence.ts';

export interface FakeClock extends Clock {
  /** Lets time pass: wall clock and uptime. The process is running. */
  pass(ms: number): void;
  /** The same while the process is paused. */
  sleep(ms: number): void;
  /** Sets the wall clock and nothing else. */
  setWall(time: number | string): void;
}

export function fakeClock(
  wall: number | string = '2026-11-20T12:00:00Z',
  uptime = 100_000,
): FakeClock {
  let now = new Date(wall).getTime();
  let up = uptime;
  const presence = new Presence(() => up);
  presence.beat();
  function sleep(ms: number): void {
    now += ms;
    up += ms / 1000;
  }
  return {
    now: () => now,
    uptime: () => up,
    presence,
    pass(ms) {
      const end = up + ms / 1000;
      now += ms;
      for (; up < end - 1; up += 1) presence.beat();
      up = end;
      presence.beat();
    },
    sleep,
    setWall(time) {
      now = new Date(time).getTime();
    },
  };
}

export interface FakeTime {
  clock: FakeClock;
  /** For parameters that accept a `pause`. */
  pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Advances the time; pauses that are over by then end. */
  pass(ms: number): void;
  /** How long the current pauses still last, in milliseconds. */
  pauses(): number[];
}

/** A clock, and pauses that end by it. */
export function fakeTime(wall?: number | string): FakeTime {
  const clock = fakeClock(wall);
  const waiting = new Set<{ due: number; end: () => void }>();
  return {
    clock,
    pause: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          if (waiting.delete(entry)) reject(signal?.reason);
        };
        const end = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        const entry = { due: clock.uptime() + ms / 1000, end };
        waiting.add(entry);
        signal?.addEventListener('abort', abort);
      }),
    pass(ms) {
      clock.pass(ms);
      for (const entry of [...waiting]) {
        if (entry.due > clock.uptime() + 1e-6) continue;
        waiting.delete(entry);
        entry.end();
      }
    },
    pauses: () => [...waiting].map(({ due }) => (due - clock.uptime()) * 1000),
  };
}
