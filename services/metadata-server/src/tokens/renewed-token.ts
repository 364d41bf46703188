/**
 * Decides when a token is renewed: well before expiry, with one upstream call at a time for any number of callers, and pauses after
 * failures. While Google cannot be reached, the token is given out until it expires.
 *
 * Times are seconds of `clock.uptime()`, which never jumps: the wall clock of a jumphost without a battery starts in 1970. But the uptime
 * may stop while a computer is paused, and the wall clock is set afterwards: so whichever clock shows more elapsed time counts.
 */

import { NamedError, withDeadline } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { IssuedToken } from '@skolo/google';

export interface HeldToken {
  value: string;
  /** Seconds from issue to expiry. */
  life: number;
  expiresAt: number;
  /** The same by the wall clock, in milliseconds; absent if an older version saved the token. */
  wallExpiresAt?: number | undefined;
}

/** Negative if it has expired by either clock. */
export function secondsLeftOf(held: HeldToken, clock: Pick<Clock, 'now' | 'uptime'>): number {
  const { expiresAt, wallExpiresAt = Number.POSITIVE_INFINITY } = held;
  return Math.min(expiresAt - clock.uptime(), (wallExpiresAt - clock.now()) / 1000);
}

interface RenewedTokenDeps {
  clock: Pick<Clock, 'now' | 'uptime'>;
  /** Between 0 and 1. */
  random: () => number;
  /** Aborted when the server stops. */
  closing: AbortSignal;
  /** Seconds to wait after this number of consecutive failures. */
  backOff: (failures: number) => number;
  /** Time limit of an upstream call, in milliseconds. */
  upstreamMs?: number | undefined;
}

/** No valid token is available, and none could be fetched in time. */
export class NoToken extends NamedError {
  readonly code = 'NO_TOKEN';
  readonly retryAfterSeconds: number;

  constructor(why: string, retryAfterSeconds: number) {
    super(why);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A caller requests too many tokens with its own audiences or scopes. */
export class TooManyTokens extends NoToken {}

/**
 * Tokens are valid for at least this long, because below it, a Swarming bot requests a token before each of its own requests (it
 * requires 9.5 min).
 */
const floorSeconds = 600;

/** An upstream that has not responded after this time is down. */
const usualUpstreamMs = 10_000;

/** Tokens are not renewed more often than this, even if upstream issues short-lived ones, or the same one again. */
const calmSeconds = 30;

export class RenewedToken {
  /** When it was last requested. */
  askedAt = -Infinity;
  /** Wall clock, milliseconds. Undefined once upstream works again. */
  lastFailure: { why: string; at: number } | undefined;
  private readonly deps: RenewedTokenDeps;
  private held: HeldToken | undefined;
  private renewBelow = 0;
  private flight: Promise<unknown> | undefined;
  private failures = 0;
  private notBefore = -Infinity;

  constructor(deps: RenewedTokenDeps) {
    this.deps = deps;
  }

  /** Adopts a token that is known to be good, from the previous process. */
  adopt(token: HeldToken): void {
    this.held = token;
    this.renewBelow = renewalThreshold(token.life, this.deps.random());
  }

  /** The token, if it is valid for long enough. */
  fresh(): HeldToken | undefined {
    const { held } = this;
    return held && this.secondsLeft() >= floorOf(held.life) ? held : undefined;
  }

  /** Any token that is still usable; an answer takes a moment to arrive, so not in its last second. */
  unexpired(): HeldToken | undefined {
    return this.held && this.secondsLeft() >= 1 ? this.held : undefined;
  }

  secondsLeft(): number {
    return this.held ? Math.max(0, secondsLeftOf(this.held, this.deps.clock)) : 0;
  }

  get failing(): boolean {
    return this.failures > 0;
  }

  /**
   * A token, after waiting for the renewal in progress for at most `patienceMs` if necessary: not if the last call failed and a token is
   * still valid. A caller that stops waiting does not stop the call, whose token is for all. Throws `NoToken`.
   */
  async get(patienceMs: number, signal?: AbortSignal): Promise<HeldToken> {
    const fresh = this.fresh();
    if (fresh) return fresh;
    const haveToWait = !this.failing || this.unexpired() === undefined;
    const { flight } = this;
    if (haveToWait && flight !== undefined) {
      const patience = { ms: patienceMs, late: noAnswer, signal };
      await withDeadline(patience, () => flight).catch(() => undefined);
    }
    const held = this.unexpired();
    if (held) return held;
    const wait =
      this.flight !== undefined
        ? 1
        : Math.max(1, Math.ceil(this.notBefore - this.deps.clock.uptime()));
    throw new NoToken(this.lastFailure?.why ?? 'the token endpoint has not responded yet', wait);
  }

  /** Whether to renew it now: little of its life is left, no call is in progress, and the last one was not too recent. */
  isDue(): boolean {
    const { held } = this;
    const left = this.secondsLeft();
    if (held && left >= this.renewBelow && left >= floorOf(held.life)) return false;
    // Only a jump of the wall clock ends a token so early.
    const hasJumped = !this.failing && held !== undefined && left === 0;
    const isTooEarly = this.deps.clock.uptime() < this.notBefore && !hasJumped;
    return this.flight === undefined && !isTooEarly;
  }

  /** Makes one upstream call, and keeps its token. Never rejects: `error` says why there is none. */
  async renew(issue: (signal: AbortSignal) => Promise<IssuedToken>): Promise<{ error?: unknown }> {
    const flight = this.callUpstream(issue);
    this.flight = flight;
    const renewal = await flight;
    this.flight = undefined;
    return renewal;
  }

  /** A possible cause of a failure has changed. */
  retryNow(): void {
    this.notBefore = -Infinity;
  }

  /** Settles when nothing is in progress. Never rejects. */
  async idle(): Promise<void> {
    await this.flight;
  }

  private async callUpstream(
    issue: (signal: AbortSignal) => Promise<IssuedToken>,
  ): Promise<{ error?: unknown }> {
    const { clock, random, closing, upstreamMs = usualUpstreamMs } = this.deps;
    const [askedAt, wallAskedAt] = [clock.uptime(), clock.now()];
    try {
      const deadline = { ms: upstreamMs, late: noAnswer, signal: closing };
      const { token, lifeSeconds } = await withDeadline(deadline, issue);
      // Counted from before the call: slightly too short is better than expired.
      const expiresAt = askedAt + lifeSeconds;
      // Or from after it, if the clock was set back meanwhile.
      const wallExpiresAt = Math.min(wallAskedAt, clock.now()) + lifeSeconds * 1000;
      this.held = { value: token, life: lifeSeconds, expiresAt, wallExpiresAt };
      this.renewBelow = renewalThreshold(lifeSeconds, random());
      this.failures = 0;
      this.lastFailure = undefined;
      this.notBefore = askedAt + calmSeconds;
      return {};
    } catch (error) {
      this.failures += 1;
      this.notBefore = clock.uptime() + this.deps.backOff(this.failures);
      const why = error instanceof Error ? error.message : 'unknown error';
      this.lastFailure = { why, at: clock.now() };
      return { error };
    }
  }
}

function noAnswer(): Error {
  return new DOMException('no response in time', 'TimeoutError');
}

/** Minimum remaining seconds of every token that is handed out, as long as upstream works. */
function floorOf(life: number): number {
  // An upstream whose tokens never live that long: the best possible.
  return life > floorSeconds ? Math.min(floorSeconds, life - calmSeconds) : 0.4 * life;
}

/**
 * Remaining seconds below which a token is renewed: around half of its lifetime, so that renewals of several identities drift apart, and in
 * any case before the floor.
 */
function renewalThreshold(life: number, random: number): number {
  const half = life * (0.45 + 0.1 * random);
  const aboveFloor = (life + floorOf(life)) / 2;
  const wanted = Math.max(half, Math.min(1.5 * floorSeconds, aboveFloor));
  return Math.min(wanted, life - calmSeconds);
}
