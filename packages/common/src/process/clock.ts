/** Clocks: wall time, and uptime that never jumps; a dependency, so that tests can replace it. */
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Presence } from './presence.ts';

/** Time as a dependency, so that tests can replace it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. It may jump: a jumphost without a clock boots in 1970. */
  now(): number;
  /** Seconds since boot, including sleep. It never jumps or goes back. */
  uptime(): number;
  /** For how much of the uptime this process was able to observe others. */
  presence: Presence;
}

interface Sources {
  wall: () => number;
  /** Seconds since boot; costs a read of /proc/uptime. */
  boot: () => number;
  /** Milliseconds, cheap; stands still while the computer sleeps. */
  monotonic: () => number;
}

const cachedMs = 250;

/** A clock with these sources. `uptime()` reads the boot clock at most four times a second; its presence also reads it in between. */
export function createClock({ wall, boot, monotonic }: Sources): Clock {
  let bootAt = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  let last = 0;
  function read(isFresh = false): number {
    const at = monotonic();
    if (isFresh || at - readAt > cachedMs) {
      bootAt = boot();
      readAt = at;
    }
    // The boot clock is coarser than the monotonic one, hence the max.
    last = Math.max(last, bootAt + (at - readAt) / 1000);
    return last;
  }
  return { now: wall, uptime: () => read(), presence: new Presence(read) };
}

export const systemClock: Clock = createClock({
  wall: () => Date.now(),
  boot: () => uptime(),
  monotonic: () => performance.now(),
});

/** Converts a moment of uptime to milliseconds since 1970, by the current wall clock. */
export function wallTime(clock: Pick<Clock, 'now' | 'uptime'>, uptime: number): number {
  return clock.now() - (clock.uptime() - uptime) * 1000;
}
