/** Clocks: wall time, uptime that never jumps, and the boot ID; a dependency, so that tests can replace it. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Time as a dependency, so that tests can replace it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. It may jump: a jumphost without a clock boots in 1970. */
  now(): number;
  /** Seconds since boot, including sleep. It never jumps or goes back. */
  uptime(): number;
}

interface Sources {
  wall: () => number;
  /** Seconds since boot; costs a read of /proc/uptime. */
  boot: () => number;
  /** Milliseconds, cheap; stands still while the computer sleeps. */
  monotonic: () => number;
}

const cachedMs = 250;

/** A clock with these sources; `uptime()` reads the boot clock at most four times a second. */
export function createClock({ wall, boot, monotonic }: Sources): Clock {
  let bootAt = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  let last = 0;
  return {
    now: wall,
    uptime() {
      const at = monotonic();
      if (at - readAt > cachedMs) {
        bootAt = boot();
        readAt = at;
      }
      // The boot clock is coarser than the monotonic one, hence the max.
      last = Math.max(last, bootAt + (at - readAt) / 1000);
      return last;
    },
  };
}

export const systemClock: Clock = createClock({
  wall: () => Date.now(),
  boot: () => uptime(),
  monotonic: () => performance.now(),
});

/** The kernel's id of this boot, see random(4); undefined if it has none. */
export function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
