import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';

/** Time as a service is told it, so that a test can tell it another. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. It may jump: a jumphost without a clock of its own boots in 1970. */
  now(): number;
  /** Seconds since boot, time asleep included. It never jumps and never goes back. */
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

/** A clock over the given sources; `uptime()` asks the boot clock at most four times a second. */
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
      // The boot clock is coarser than what we add to it, hence the max.
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

/** Names this boot of the computer; undefined where the kernel does not tell. See random(4). */
export function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
