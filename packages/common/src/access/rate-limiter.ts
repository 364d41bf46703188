/** Limits the rate of requests: a token bucket for each caller, so that one of them cannot starve the others. Full buckets are forgotten. */

interface RateLimit {
  perSecond: number;
  burst: number;
}

interface Bucket {
  left: number;
  /** Milliseconds, monotonic. */
  filledAt: number;
}

export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();
  private limit: RateLimit;
  private readonly now: () => number;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    this.limit = limit;
    this.now = now;
  }

  setLimit(limit: RateLimit): void {
    this.limit = limit;
  }

  /**
   * Zero if the caller may continue, otherwise the seconds until it may. A cost that exceeds the rest of a bucket is
   * granted, and delays the next request.
   */
  take(caller: string, cost = 1): number {
    const { perSecond, burst } = this.limit;
    const now = this.now();
    let bucket = this.buckets.get(caller);
    if (!bucket) {
      bucket = { left: burst, filledAt: now };
      this.buckets.set(caller, bucket);
    }
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    if (bucket.left < 1) return (1 - bucket.left) / perSecond;
    bucket.left -= cost;
    return 0;
  }

  /** Must be called regularly, because callers and their addresses change. */
  forgetIdle(): void {
    const { perSecond, burst } = this.limit;
    const now = this.now();
    for (const [caller, { left, filledAt }] of this.buckets) {
      if (left + ((now - filledAt) / 1000) * perSecond >= burst) this.buckets.delete(caller);
    }
  }

  get size(): number {
    return this.buckets.size;
  }
}
