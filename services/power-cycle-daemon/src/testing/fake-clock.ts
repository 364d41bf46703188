/** Time that passes when a test says so. */
import type { Clock } from '@skolo/common';

export interface FakeClock extends Clock {
  /** Lets time pass: wall clock and uptime. */
  passMinutes(minutes: number): void;
  /** Sets the wall clock and nothing else. */
  setWall(time: string): void;
}

/** It is now, and the computer has been up for a day unless said otherwise. */
export function fakeClock({ wall = Date.now(), uptimeMinutes = 1440 } = {}): FakeClock {
  let now = wall;
  let uptime = uptimeMinutes * 60;
  return {
    now: () => now,
    uptime: () => uptime,
    passMinutes(minutes) {
      now += minutes * 60_000;
      uptime += minutes * 60;
    },
    setWall(time) {
      now = Date.parse(time);
    },
  };
}
