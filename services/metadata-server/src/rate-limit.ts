/**
 * A token bucket for each caller, so that one broken bot cannot starve the rack.
 * Buckets that are full again are forgotten.
 */
import type { Rack } from '@skolo/rack';

export type RateLimit = Rack['services']['metadata-server']['rateLimit'];

interface Bucket {
  left: number;
  /** Milliseconds, monotonic. */
  filledAt: number;
}

export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();
  private limit: RateLimit;
  private readonly now: () => number;

  /** `now`: milliseconds of a clock that never jumps. */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    this.limit = limit;
    this.now = now;
  }

  setLimit(limit: RateLimit): void {
    this.limit = limit;
  }

  /** Zero if the caller may go on, else the seconds after which it may. */
  take(caller: string): number {
    const { perSecond, burst } = this.limit;
    const now = this.now();
    let bucket = this.buckets.get(caller);
    if (!bucket) {
      bucket = { left: burst, filledAt: now };
      this.buckets.set(caller, bucket);
    }
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return 0;
    }
    return (1 - bucket.left) / perSecond;
  }

  /** To be called now and then: callers come and go, and phones change addresses. */
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
