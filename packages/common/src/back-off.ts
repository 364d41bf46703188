export interface BackOffOptions {
  /** Wait before the second attempt, milliseconds. */
  firstMs: number;
  /** No wait is longer, milliseconds. */
  maxMs: number;
  /** Factor between waits. Default 2. */
  factor?: number;
  /** Random part of a wait, 0 to 1. Default 0.5: from half to all of it. */
  jitter?: number;
  /** Default Math.random. */
  random?: () => number;
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row (1 is the first).
 * Exponential up to a limit, with jitter, so that not all clients retry at once when the uplink returns.
 */
export function backOffMs(failures: number, options: BackOffOptions): number {
  const { firstMs, maxMs, factor = 2, jitter = 0.5, random = Math.random } = options;
  const full = Math.min(maxMs, firstMs * factor ** Math.max(0, failures - 1));
  return full * (1 - jitter * random());
}
