/** Keeps the current state: rack.yaml, its credential files, and this computer's addresses. Only this file looks for changed keys. */

import { errorText } from '@skolo/base';
import type { Clock, LastSuccess, RateLimiter } from '@skolo/common';
import type { Rack, RackWatch } from '@skolo/rack';
import { interfaceAddresses } from '../caller/caller-lookup.ts';
import type { CallerStats } from '../caller/caller-stats.ts';
import type { EmitMetadata } from '../events.ts';
import { type Accounts, haveChanged, openAccounts } from '../tokens/accounts.ts';
import type { Tokens, UpstreamCall } from '../tokens/tokens.ts';
import { RackState } from './rack-state.ts';

export interface CurrentStateDeps {
  watch: Pick<RackWatch, 'rack'>;
  clock: Clock;
  lastSuccess: LastSuccess;
  tokens: Tokens;
  stats: CallerStats;
  limiter: RateLimiter;
  emit: EmitMetadata;
}

export class CurrentState {
  private readonly deps: CurrentStateDeps;
  /** As last read. */
  private accounts: Accounts = new Map();
  private ownAddresses = interfaceAddresses();
  private state: RackState | undefined;
  private reloading = Promise.resolve();

  constructor(deps: CurrentStateDeps) {
    this.deps = deps;
  }

  /** Call this once, before anything else. */
  async open(): Promise<RackState> {
    const { rack } = this.deps.watch;
    this.state = this.enforce(rack, await this.readAccounts(rack));
    return this.state;
  }

  get(): RackState {
    if (!this.state) throw new TypeError('call open() first');
    return this.state;
  }

  /** A renewal has ended. */
  noteCall({ what, account, error }: UpstreamCall): void {
    if (what === 'id-token') return;
    const { name } = account.identity;
    // A call may outlive its identity or credentials.
    if (this.get().accounts.get(name)?.key !== account.key) return;
    const { emit, lastSuccess } = this.deps;
    const why = error === undefined ? undefined : errorText(error);
    emit({ type: 'degraded', what: identityOf(name), why });
    if (why !== undefined) return;
    lastSuccess.mark(name);
    // The key file is read at each renewal, so the token may be another account's.
    void this.reload();
  }

  /** One at a time, and the last one wins, because it reads the state that is current when its turn comes. Never rejects. */
  reload(): Promise<void> {
    this.reloading = this.reloading
      .then(() => this.replaceIfChanged())
      .catch((error: unknown) => this.deps.emit({ type: 'reload-failed', error }));
    return this.reloading;
  }

  /** Call this periodically: looks for changes that no event reports. */
  async tick(): Promise<void> {
    const addresses = interfaceAddresses();
    const moved = addresses.join() !== this.ownAddresses.join();
    this.ownAddresses = addresses;
    const isUnreadable = [...this.accounts.values()].some((each) => each.unreadable !== undefined);
    const isDue = moved || isUnreadable || (await haveChanged(this.accounts, this.get().rack.dir));
    if (isDue) await this.reload();
  }

  /** Settles when no reload is in progress. */
  async idle(): Promise<void> {
    await this.reloading;
  }

  private async replaceIfChanged(): Promise<void> {
    const { watch, tokens } = this.deps;
    const { rack } = watch;
    const previous = this.get();
    const before = new Set([...this.accounts.values()].map(({ key, stamp }) => `${key} ${stamp}`));
    const accounts = await this.readAccounts(rack);
    // Requests in progress start over with another state, so not at each check of a key.
    const isSame =
      rack === previous.rack &&
      this.ownAddresses.join() === previous.ownAddresses.join() &&
      sameOwners(accounts, previous.accounts);
    if (!isSame) this.state = this.enforce(rack, accounts);
    this.clearIdentities(previous.rack, rack);
    const changed = [...accounts.values()].filter(
      ({ key, stamp }) => !before.has(`${key} ${stamp}`),
    );
    tokens.retry(new Set(changed.map(({ key }) => key)));
    tokens.tick();
    if (!isSame) this.deps.emit({ type: 'state-replaced' });
  }

  /** From here on, requests see this version of rack.yaml, and tokens are those of its accounts. */
  private enforce(rack: Rack, accounts: Accounts): RackState {
    const { tokens, stats, limiter, lastSuccess } = this.deps;
    tokens.setAccounts(accounts);
    limiter.setLimit(rack.services['metadata-server'].rateLimit);
    lastSuccess.retain(accounts.keys());
    return new RackState(rack, accounts, { stats, tokens, ownAddresses: this.ownAddresses });
  }

  private async readAccounts(rack: Rack): Promise<Accounts> {
    const { clock, emit } = this.deps;
    const accounts = await openAccounts(rack, () => clock.now());
    for (const [name, { otherEmail, unreadable }] of accounts) {
      emit({ type: 'degraded', what: emailOf(name), why: otherEmail });
      if (unreadable !== undefined) {
        emit({ type: 'degraded', what: identityOf(name), why: unreadable });
      }
    }
    this.accounts = accounts;
    return accounts;
  }

  /** Clears the problems of identities that are gone, or that work again without a new token. */
  private clearIdentities(previous: Rack, { identities }: Rack): void {
    const { emit, tokens } = this.deps;
    for (const name of previous.identities.keys()) {
      if (identities.has(name)) continue;
      emit({ type: 'degraded', what: identityOf(name) });
      emit({ type: 'degraded', what: emailOf(name) });
    }
    for (const { account, token } of tokens.status()) {
      const { name } = account.identity;
      const isReadable = this.accounts.get(name)?.unreadable === undefined;
      const isWell = isReadable && !token.failing && token.unexpired() !== undefined;
      if (isWell) emit({ type: 'degraded', what: identityOf(name) });
    }
  }
}

function identityOf(name: string): string {
  return `identity ${name}`;
}

function emailOf(name: string): string {
  return `e-mail of identity ${name}`;
}

/** For the same version of rack.yaml: what its credential files add to it. */
function sameOwners(accounts: Accounts, others: Accounts): boolean {
  return [...accounts].every(([name, { email, owner }]) => {
    const other = others.get(name);
    return other?.email === email && other?.owner === owner;
  });
}
