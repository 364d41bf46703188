/**
 * Decides when a service is overloaded: its event loop lags. Measured by the lateness of a timer: perf_hooks' `monitorEventLoopDelay` is
 * a histogram of the past, whose maximum includes delays that are over.
 */

const everyMs = 100;
/** More than any single task of a service takes. */
const mostMs = 1000;

/** Measures in the background. @returns whether the timer is, or was when it last fired, more than a second late */
export function watchLoop(): () => boolean {
  let due = performance.now() + everyMs;
  let lateMs = 0;
  setInterval(() => {
    lateMs = performance.now() - due;
    due = performance.now() + everyMs;
  }, everyMs).unref();
  return () => Math.max(lateMs, performance.now() - due) > mostMs;
}
