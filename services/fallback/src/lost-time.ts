/** Measures the time in which no look was possible, because the computer was suspended: nobody was silent then. */

/** Between two looks. After more than this, only the usual time counts. */
const lateSeconds = 60;
const usualSeconds = 30;

/** Seconds of uptime between two looks in which nobody could look. */
export function lostBetween(lookedAt: number, uptime: number): number {
  const seconds = uptime - lookedAt;
  return seconds > lateSeconds ? seconds - usualSeconds : 0;
}
