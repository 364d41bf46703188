export interface BackOffOptions {
  /** Wait before the second attempt, milliseconds. */
  firstMs: number;
  /** No wait is longer, milliseconds. */
  maxMs: number;
  /** Each wait is so much longer than the one before. Default 2. */
  factor?: number;
  /** The part of a wait that is left to chance, 0 to 1. Default 0.5: between half of it and all of it. */
  jitter?: number;
  /** Default Math.random. */
  random?: () => number;
}

/**
 * How long to wait after the `failures`-th failure in a row (1 is the first), milliseconds.
 * Exponential up to a cap, and then jitter, so that a rack whose uplink comes back does not ask all at once.
 */
export function backOffMs(failures: number, options: BackOffOptions): number {
  const { firstMs, maxMs, factor = 2, jitter = 0.5, random = Math.random } = options;
  const full = Math.min(maxMs, firstMs * factor ** Math.max(0, failures - 1));
  return full * (1 - jitter * random());
}
