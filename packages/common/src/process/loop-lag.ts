/**
 * Decides when a service is overloaded: its event loop lags. Measured by the lateness of a timer: perf_hooks' `monitorEventLoopDelay` is
 * a histogram of the past, whose maximum includes delays that are over.
 */
import { threadCpuMs } from '@skolo/base';

const everyMs = 100;
/** More than any single task of a service takes. */
const mostMs = 1000;

export type LoopLag = ReturnType<typeof watchLoop>;

/** Measures in the background. */
export function watchLoop() {
  let due = performance.now() + everyMs;
  let lateMs = 0;
  let firedAt = threadCpuMs();
  let blockedAt = Number.NEGATIVE_INFINITY;
  const isBlocked = () => threadCpuMs() - firedAt > mostMs;
  setInterval(() => {
    lateMs = performance.now() - due;
    due = performance.now() + everyMs;
    if (isBlocked()) blockedAt = performance.now();
    firedAt = threadCpuMs();
  }, everyMs).unref();
  return {
    /** What was late during the start of a service does not count: it has answered nobody. */
    restart(): void {
      [lateMs, due] = [0, performance.now() + everyMs];
    },
    /** Whether the timer is, or was when it last fired, more than a second late. */
    isLate: () => Math.max(lateMs, performance.now() - due) > mostMs,
    /**
     * Whether one task has used more than a second of CPU time since then, by `performance.now()`. A paused or throttled process is late
     * without that.
     */
    wasBlockedSince: (time: number) => blockedAt >= time || isBlocked(),
  };
}
