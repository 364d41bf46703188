/**
 * Every identity's tokens, renewed in the background, and limits of callers: how many tokens one may request, with its own scopes or
 * audiences.
 */
import { setMaxListeners } from 'node:events';
import { type Clock, Locks, RateLimiter } from '@skolo/common';
import type { IssuedToken, TokenSource } from '@skolo/google';
import { type Account, type Accounts, grantedScopes } from './accounts.ts';
import { type HeldToken, RenewedToken, secondsLeftOf, TooManyTokens } from './renewed-token.ts';
import type { SavedToken } from './saved-tokens.ts';

interface TokensDeps {
  clock: Pick<Clock, 'now' | 'uptime'>;
  random: () => number;
  backOff: (failures: number) => number;
  upstreamMs?: number | undefined;
  emit(event: TokenEvent): void;
}

export interface UpstreamCall {
  /** The account as it was when the call began, or as it is by now. */
  account: Account;
  what: Wanted['kind'];
  error?: unknown;
}

export type TokenEvent =
  | { type: 'upstream-call'; call: UpstreamCall }
  /** Different tokens are available than before. */
  | { type: 'tokens-changed' };

type Wanted =
  | { kind: 'access-token'; scopes: readonly string[] }
  | { kind: 'id-token'; audience: string };

/** A token that callers can request from `Tokens`. */
export interface KnownToken {
  key: string;
  account: Account;
  wanted: Wanted;
  token: RenewedToken;
  /** The identity's usual token: kept fresh even without requests. */
  usual: boolean;
  /** Who requested it last; undefined: this server itself. */
  caller: string | undefined;
}

/** How long tokens that were requested once (other scopes, an audience) are kept fresh, in seconds. */
const rememberedFor = 3600;

/** The maximum number of tokens kept per account: callers choose audiences freely. */
const mostPerAccount = 100;

/** One caller's share, so that it does not displace other callers' tokens. */
const mostPerCaller = 20;

/** New tokens per caller, beyond those that are kept already. A task needs a few audiences. */
const newTokens = { perSecond: 10 / 60, burst: 10 };

/** Parallel upstream calls per caller. Further ones wait, so that a client that starts with several is not affected. */
const mostCallsOfCaller = 2;

/**
 * Parallel upstream calls per account, except for its usual token: callers choose audiences freely, and thousands of parallel calls would
 * delay the rack and make Google throttle it.
 */
const mostCalls = 20;

/** A wall clock that moved by more than this relative to the uptime was set. In milliseconds. */
const clockJump = 30_000;

export class Tokens {
  private readonly deps: TokensDeps;
  private readonly entries = new Map<string, KnownToken>();
  /** Upstream calls in progress, by account key. */
  private readonly calls = new Map<string, number>();
  private readonly turns = new Locks(mostCallsOfCaller);
  private readonly limiter: RateLimiter;
  private readonly closing = new AbortController();
  private clockOffset: number;

  constructor(deps: TokensDeps) {
    // One listener for each upstream call in progress.
    setMaxListeners(0, this.closing.signal);
    this.deps = deps;
    this.limiter = new RateLimiter(newTokens, () => deps.clock.uptime() * 1000);
    this.clockOffset = wallOffset(deps.clock);
  }

  /** Adopts an earlier process's token: still valid, for one of our accounts, with scopes that it still has. */
  adopt(accounts: Accounts, saved: readonly SavedToken[]): void {
    const byKey = new Map([...accounts.values()].map((account) => [account.key, account]));
    for (const { account: key, owner, scopes, ...token } of saved) {
      const account = byKey.get(key);
      const allowed =
        account &&
        !isAnother(owner, account.owner) &&
        scopes.every((scope) => account.identity.scopes.includes(scope));
      if (allowed && secondsLeftOf(token, this.deps.clock) > 0) {
        this.accessToken(account, scopes).token.adopt(token);
      }
    }
  }

  /** Sets the active accounts. Tokens of accounts that are gone, or whose key file is now another account's, are forgotten. */
  setAccounts(accounts: Accounts): void {
    const active = new Map([...accounts.values()].map((account) => [account.key, account]));
    for (const [key, entry] of this.entries) {
      const account = active.get(entry.account.key);
      entry.usual = false;
      const { owner } = entry.account;
      if (account && !isAnother(owner, account.owner)) entry.account = { owner, ...account };
      else this.entries.delete(key);
    }
    for (const account of active.values()) this.usual(account).usual = true;
  }

  /**
   * The token for a caller of this account that requested these scopes (none: the usual ones).
   *
   * @throws TooManyTokens
   */
  accessToken(account: Account, scopes: readonly string[], caller?: string): KnownToken {
    const granted = grantedScopes(account.identity, scopes);
    return this.entry(account, { kind: 'access-token', scopes: granted }, caller);
  }

  /** For credentials that support ID tokens. @throws TooManyTokens */
  idToken(account: Account, audience: string, caller: string): KnownToken {
    return this.entry(account, { kind: 'id-token', audience }, caller);
  }

  /** Without waiting: the token, if it is valid for long enough. Starts its renewal if that is due. */
  fresh(known: KnownToken): HeldToken | undefined {
    this.renewIfDue(known);
    return known.token.fresh();
  }

  /** A token, after waiting for upstream for at most `patienceMs` if necessary. @throws NoToken */
  get(known: KnownToken, patienceMs: number, signal?: AbortSignal): Promise<HeldToken> {
    this.renewIfDue(known);
    return known.token.get(patienceMs, signal);
  }

  /** The credentials of these accounts (keys) have changed: what has failed with the old ones is tried again. */
  retry(accounts: ReadonlySet<string>): void {
    for (const { account, token } of this.entries.values()) {
      if (token.failing && accounts.has(account.key)) token.retryNow();
    }
  }

  /** Call this every few seconds. Renews what is due, and forgets what has not been requested for an hour. */
  tick(): void {
    const { clock } = this.deps;
    const clockWasSet = Math.abs(wallOffset(clock) - this.clockOffset) > clockJump;
    if (clockWasSet) this.clockOffset = wallOffset(clock);
    this.limiter.forgetIdle();
    for (const [key, entry] of this.entries) {
      const wanted = entry.usual || clock.uptime() - entry.token.askedAt < rememberedFor;
      if (!wanted) {
        this.entries.delete(key);
        continue;
      }
      // An assertion contains the time: a wrong clock may have been the cause.
      if (entry.token.failing && clockWasSet) entry.token.retryNow();
      this.renewIfDue(entry);
    }
  }

  /** The usual token of each identity, for metrics, readiness and people. */
  status(): { account: Account; token: RenewedToken }[] {
    return [...this.entries.values()].filter(({ usual }) => usual);
  }

  /** What the next process needs if it starts while upstream is down. */
  toSave(): SavedToken[] {
    const tokens: SavedToken[] = [];
    for (const { account, wanted, token } of this.entries.values()) {
      const held = token.unexpired();
      if (!held || wanted.kind === 'id-token') continue;
      tokens.push({
        account: account.key,
        owner: account.owner,
        scopes: [...wanted.scopes],
        ...held,
      });
    }
    return tokens;
  }

  /** Aborts calls in progress. No callbacks follow. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([...this.entries.values()].map(({ token }) => token.idle()));
  }

  private usual(account: Account): KnownToken {
    return this.entry(account, { kind: 'access-token', scopes: account.identity.scopes });
  }

  private entry(account: Account, wanted: Wanted, caller?: string): KnownToken {
    const key = `${account.key} ${JSON.stringify(wanted)}`;
    const existing = this.entries.get(key);
    if (existing) {
      existing.token.askedAt = this.deps.clock.uptime();
      existing.caller = caller;
      return existing;
    }
    const waitSeconds = caller === undefined ? 0 : this.limiter.take(caller);
    if (waitSeconds > 0)
      throw new TooManyTokens('too many requests for new audiences or scopes', waitSeconds);
    this.makeRoom(account, caller);
    const { clock, random, backOff, upstreamMs } = this.deps;
    const { signal: closing } = this.closing;
    const token = new RenewedToken({ clock, random, backOff, upstreamMs, closing });
    token.askedAt = this.deps.clock.uptime();
    const entry: KnownToken = { key, account, wanted, token, usual: false, caller };
    this.entries.set(key, entry);
    return entry;
  }

  private renewIfDue(entry: KnownToken): void {
    const isBusy = !entry.usual && (this.calls.get(entry.account.key) ?? 0) >= mostCalls;
    if (!isBusy && entry.token.isDue()) void this.renew(entry);
  }

  private async renew(entry: KnownToken): Promise<void> {
    const { error } = await entry.token.renew((signal) => this.call(entry, signal));
    if (this.closing.signal.aborted) return;
    const call = { account: entry.account, what: entry.wanted.kind, error };
    this.deps.emit({ type: 'upstream-call', call });
    const isListed = this.entries.get(entry.key) === entry;
    if (error === undefined && isListed) this.deps.emit({ type: 'tokens-changed' });
  }

  private async call(entry: KnownToken, signal: AbortSignal): Promise<IssuedToken> {
    const { usual, caller } = entry;
    if (usual || caller === undefined) return await this.callNow(entry, signal);
    return await this.turns.hold(caller, () => {
      signal.throwIfAborted();
      return this.callNow(entry, signal);
    });
  }

  private async callNow(
    { account, wanted }: KnownToken,
    signal: AbortSignal,
  ): Promise<IssuedToken> {
    const { calls } = this;
    calls.set(account.key, (calls.get(account.key) ?? 0) + 1);
    try {
      return await issue(account.source, wanted, signal);
    } finally {
      const left = (calls.get(account.key) ?? 1) - 1;
      if (left > 0) calls.set(account.key, left);
      else calls.delete(account.key);
    }
  }

  private makeRoom(account: Account, caller: string | undefined): void {
    const all = [...this.entries.values()].filter(
      (entry) => entry.account.key === account.key && !entry.usual,
    );
    const own = caller === undefined ? [] : all.filter((entry) => entry.caller === caller);
    if (own.length < mostPerCaller && all.length < mostPerAccount) return;
    const others = own.length < mostPerCaller ? all : own;
    const empty = others.filter(({ token }) => token.unexpired() === undefined);
    const oldest = (empty.length > 0 ? empty : others).reduce((a, b) =>
      a.token.askedAt <= b.token.askedAt ? a : b,
    );
    this.entries.delete(oldest.key);
  }
}

/** Owners of credentials; undefined while these cannot be read, which proves nothing. */
function isAnother(owner: string | undefined, now: string | undefined): boolean {
  return owner !== undefined && now !== undefined && owner !== now;
}

function wallOffset(clock: TokensDeps['clock']): number {
  return clock.now() - clock.uptime() * 1000;
}

async function issue(
  source: TokenSource,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<IssuedToken> {
  if (wanted.kind === 'access-token') return source.accessToken(wanted.scopes, signal);
  if (source.idToken) return source.idToken(wanted.audience, signal);
  throw new Error('these credentials do not support ID tokens');
}
