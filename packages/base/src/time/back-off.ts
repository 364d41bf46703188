export interface BackOffOptions {
  /** Wait before the second attempt, milliseconds. */
  firstMs: number;
  /** No wait is longer, milliseconds. */
  maxMs: number;
  /** Default Math.random. */
  random?: () => number;
}

/**
 * Computes the pause before a retry (back-off): milliseconds to wait after the `failures`-th failure in a row (1 is the first). It
 * doubles up to a limit, with jitter between half and all of it, so that clients do not all retry at the same time.
 */
export function backOffMs(failures: number, options: BackOffOptions): number {
  const { firstMs, maxMs, random = Math.random } = options;
  const full = Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1));
  return full * (1 - 0.5 * random());
}
