/** A clock that only the test advances. */
import type { Clock } from '@skolo/common';

export interface FakeClock extends Clock {
  /** Advances wall clock and uptime. */
  pass(seconds: number): void;
  /** Sets the wall clock; the uptime does not change. */
  setWall(time: string): void;
}

export function fakeClock(wall = '2026-11-20T12:00:00Z', uptime = 100_000): FakeClock {
  let now = Date.parse(wall);
  let up = uptime;
  return {
    now: () => now,
    uptime: () => up,
    pass(seconds) {
      now += seconds * 1000;
      up += seconds;
    },
    setWall(time) {
      now = Date.parse(time);
    },
  };
}
