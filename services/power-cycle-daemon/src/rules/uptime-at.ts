import type { Clock } from '@skolo/common';

/**
 * Converts a wall time to seconds since boot. For events before this process, only the wall time is known, and the wall clock may be wrong:
 * a time in the future, or one that cannot be parsed, counts as just now.
 */
export function uptimeAt(clock: Pick<Clock, 'now' | 'uptime'>, time: string): number {
  const ago = (clock.now() - Date.parse(time)) / 1000;
  return clock.uptime() - (Number.isFinite(ago) ? Math.max(0, ago) : 0);
}
