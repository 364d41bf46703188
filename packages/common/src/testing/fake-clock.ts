/** Time that passes when a test says so; for the tests of services, too: `@skolo/common/testing`. */
import type { Clock } from '../process/clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass: wall clock and uptime. */
  pass(ms: number): void;
  /** Sets the wall clock and nothing else. */
  setWall(ms: number): void;
}

export function fakeClock(wall: number | string, uptime = 100_000): FakeClock {
  let now = new Date(wall).getTime();
  let up = uptime;
  return {
    now: () => now,
    uptime: () => up,
    pass(ms) {
      now += ms;
      up += ms / 1000;
    },
    setWall(ms) {
      now = ms;
    },
  };
}
