import { randomInt } from 'node:crypto';

const counterEnd = 0x10_0000;

/**
 * Message IDs, 32 hex digits: 16 of the alert's fingerprint (for a notice: zeros), 11 of the time in milliseconds, 5 of a counter. The
 * counter starts at a random value, so that IDs stay unique even if the clock goes back over a restart.
 */
export function createIds(
  start: number = randomInt(counterEnd),
): (fingerprint: string | undefined, now: number) => string {
  let counter = start;
  /** The same for all of one batch. */
  let last = { now: 0, time: hexTime(0) };
  return (fingerprint = '0'.repeat(16), now) => {
    counter = (counter + 1) % counterEnd;
    if (now !== last.now) last = { now, time: hexTime(now) };
    return fingerprint + last.time + counter.toString(16).padStart(5, '0');
  };
}

function hexTime(now: number): string {
  return Math.max(0, now).toString(16).padStart(11, '0');
}

export type NewId = ReturnType<typeof createIds>;
