import type { Clock } from '@skolo/common';

/**
 * Seconds since boot at a wall time. Of what happened before this process only the wall time is known, and the wall clock may
 * be wrong: a time in the future, or one that cannot be read, counts as just now.
 */
export function uptimeAt(clock: Clock, time: string): number {
  const ago = (clock.now() - Date.parse(time)) / 1000;
  return clock.uptime() - (Number.isFinite(ago) ? Math.max(0, ago) : 0);
}
