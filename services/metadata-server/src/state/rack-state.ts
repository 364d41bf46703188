/** One version of rack.yaml as requests need it. Replaced as a whole when the file changes, so that no request ever sees half of each. */
import { hostname } from 'node:os';
import { type HostCheck, hostCheck, inNetworks, normaliseAddress } from '@skolo/common';
import { jumphostHosts, type Rack } from '@skolo/rack';
import { type Caller, callerLookup, type FindCaller } from '../caller/caller-lookup.ts';
import type { CallerRecord, CallerStats } from '../caller/caller-stats.ts';
import { documentWithoutIdentity, metadataDocument } from '../document/document.ts';
import type { Directory } from '../document/tree.ts';
import type { Account, Accounts } from '../tokens/accounts.ts';
import type { KnownToken, Tokens } from '../tokens/tokens.ts';

/** A caller with everything that its requests need, computed once. */
export interface KnownCaller {
  caller: Caller;
  record: CallerRecord;
  /** Absent for nobody: unknown, or disabled. */
  document?: Directory;
  /** Absent without an identity. */
  access?: { account: Account; usualToken: KnownToken };
}

/** How Google's clients address a virtual machine's metadata server. */
const googleHosts = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  '169.254.169.254',
  'fd20:ce::254',
];

/** Addresses come and go; beyond this number, computed callers are forgotten. */
const most = 5000;

export class RackState {
  readonly rack: Rack;
  readonly accounts: Accounts;
  /** Of this computer's interfaces. */
  readonly ownAddresses: readonly string[];
  /** Whether a request names this server. */
  readonly checkHost: HostCheck;
  private readonly stats: CallerStats;
  private readonly tokens: Tokens;
  private readonly findCaller: FindCaller;
  private readonly isTrustedProxy: (address: string) => boolean;
  private readonly known = new Map<string, KnownCaller>();

  constructor(
    rack: Rack,
    accounts: Accounts,
    deps: { stats: CallerStats; tokens: Tokens; ownAddresses: readonly string[] },
  ) {
    this.rack = rack;
    this.accounts = accounts;
    this.stats = deps.stats;
    this.tokens = deps.tokens;
    this.ownAddresses = deps.ownAddresses;
    this.findCaller = callerLookup(rack, deps.ownAddresses);
    this.checkHost = hostCheck([
      ...googleHosts,
      ...jumphostHosts(rack),
      hostname(),
      ...deps.ownAddresses,
    ]);
    this.isTrustedProxy = inNetworks(rack.services['metadata-server'].trustedProxies);
  }

  /** `remoteAddress`: as returned by a socket. */
  callerAt(remoteAddress: string): KnownCaller {
    let known = this.known.get(remoteAddress);
    if (!known) {
      if (this.known.size >= most) this.known.clear();
      known = this.workOut(normaliseAddress(remoteAddress) ?? remoteAddress);
      this.known.set(remoteAddress, known);
    }
    return known;
  }

  /**
   * The caller on whose behalf a proxy makes the request: the last address that is not itself a trusted proxy. Undefined if the header's
   * sender is not trusted.
   */
  callerBehind(proxyAddress: string, forwardedFor: string): KnownCaller | undefined {
    const chain = [...forwardedFor.split(','), proxyAddress]
      .map((text) => normaliseAddress(text.trim()))
      .reverse();
    for (const [hop, address] of chain.entries()) {
      if (address === undefined) return undefined;
      if (!this.isTrustedProxy(address)) return hop === 0 ? undefined : this.callerAt(address);
    }
    return undefined;
  }

  private workOut(address: string): KnownCaller {
    const caller = this.findCaller(address);
    const record = this.stats.of(caller);
    const account = caller.identity && this.accounts.get(caller.identity.name);
    if (!caller.identity || !account) {
      const document = documentWithoutIdentity(this.rack, caller);
      return { caller, record, ...(document && { document }) };
    }
    const document = metadataDocument(this.rack, caller, caller.identity, account.email);
    const usualToken = this.tokens.accessToken(account, []);
    return { caller, record, document, access: { account, usualToken } };
  }
}
