/**
 * Decides when a controller's circuit breaker opens: a switch or PDU that does not turn outlets on again must not turn off a whole rack,
 * outlet by outlet. While an outlet is stuck, nothing else on its controller is turned off; after a failed attempt to turn one on,
 * nothing new begins until one succeeds; and until it has turned one on within the last ten minutes, it gets one at a time.
 */
import type { Clock } from '@skolo/common';
import { feedKey, type PendingOn } from '../state/records.ts';
import type { Store } from '../state/store.ts';

/** A controller with stuck outlets. */
export interface FailingController {
  name: string;
  /** The outlet that has been stuck for longest. */
  first: { outlet: string; offSince: string; since: string; why: string };
  stuckOutlets: string[];
  /** Until when no other cycle may be forced on it, milliseconds since 1970; undefined: it may be now. */
  notForcedUntil?: number;
}

interface CircuitBreakerDeps {
  clock: Pick<Clock, 'now' | 'uptime'>;
  store: { pendingOns: Pick<Store['pendingOns'], 'all'> };
}

/** How long a controller is trusted after it turned an outlet on, and how long after a forced cycle no other one may be forced. */
const trustedSeconds = 600;

export class CircuitBreaker {
  private readonly deps: CircuitBreakerDeps;
  /** When a controller last turned an outlet on, in seconds since boot. */
  private readonly verified = new Map<string, number>();
  /** When a cycle was last forced on a failing controller, in seconds since boot. */
  private readonly forced = new Map<string, number>();

  /** Why the latest attempt to turn an outlet on failed; cleared by a success. */
  private readonly failed = new Map<string, { controller: string; why: string }>();

  constructor(deps: CircuitBreakerDeps) {
    this.deps = deps;
  }

  /** A controller turned on an outlet that was off. */
  noteTurnedOn(controller: string): void {
    this.verified.set(controller, this.deps.clock.uptime());
  }

  /** An attempt to turn an outlet on failed. */
  noteFailed(pendingOn: PendingOn, why: string): void {
    this.failed.set(feedKey(pendingOn), { controller: pendingOn.controller, why });
  }

  /** An outlet is on again, or no longer awaited. */
  forgetFailed(pendingOn: PendingOn): void {
    this.failed.delete(feedKey(pendingOn));
  }

  /** A forced cycle is about to turn an outlet off. */
  forcedOff(controllers: readonly string[]): void {
    const failing = this.failing();
    for (const name of controllers) {
      if (failing.has(name)) this.forced.set(name, this.deps.clock.uptime());
    }
  }

  /** How many outlets of a controller cycles may keep off at the same time, given what is known about it. */
  mostOff(controller: string): number {
    if (this.failing().has(controller)) return 1;
    if ([...this.failed.values()].some((each) => each.controller === controller)) return 0;
    const verifiedAt = this.verified.get(controller) ?? Number.NEGATIVE_INFINITY;
    return this.deps.clock.uptime() - verifiedAt < trustedSeconds ? Number.POSITIVE_INFINITY : 1;
  }

  failing(): ReadonlyMap<string, FailingController> {
    const { store } = this.deps;
    const found = new Map<string, FailingController>();
    for (const pendingOn of store.pendingOns.all.values()) {
      const { controller: name, since: offSince, stuck } = pendingOn;
      if (stuck === undefined) continue;
      const outlet = feedKey(pendingOn);
      const why = this.failed.get(outlet)?.why ?? stuck.why;
      const known = found.get(name);
      const first = { outlet, offSince, since: stuck.since, why };
      found.set(name, {
        name,
        first: known !== undefined && known.first.since <= first.since ? known.first : first,
        stuckOutlets: [...(known?.stuckOutlets ?? []), outlet],
        ...this.pauseOf(name),
      });
    }
    return found;
  }

  private pauseOf(name: string): Pick<FailingController, 'notForcedUntil'> {
    const { clock } = this.deps;
    const forced = this.forced.get(name);
    const left = forced === undefined ? 0 : forced + trustedSeconds - clock.uptime();
    return left > 0 ? { notForcedUntil: clock.now() + left * 1000 } : {};
  }
}
