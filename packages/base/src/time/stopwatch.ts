/**
 * Starts measuring time. The result returns the elapsed milliseconds, by the clock that shows more: the monotonic one may stop while the
 * computer is paused, and the wall clock may be set back.
 */
export function stopwatch(): () => number {
  const [monotonic, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
}
