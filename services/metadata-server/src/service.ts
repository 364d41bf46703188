/** The metadata server, wired: nothing here decides, everything is told what it needs. */
import { join } from 'node:path';
import { metadataServerApi } from '@skolo/api';
import {
  backOffMs,
  errorText,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { adminRoutes } from './admin.ts';
import { Clients } from './clients.ts';
import { Complaints } from './complaints.ts';
import { createHandler } from './handler.ts';
import { Handover, handoverFolder } from './handover.ts';
import { type Accounts, openAccounts } from './identity.ts';
import { createMetrics } from './metrics.ts';
import { type FindMac, neighbourTable } from './neighbours.ts';
import { RackState } from './rack-state.ts';
import { RateLimiter } from './rate-limit.ts';
import { Tokens } from './tokens.ts';
import { Watchers } from './watchers.ts';

/** What a test may replace. */
export interface MetadataServerDeps {
  findMac?: FindMac;
  /** How often tokens are looked after, in milliseconds. */
  tickMs?: number;
}

/** Written so seldom that an SSD does not mind; in milliseconds. */
const saveClientsEvery = 5 * 60_000;

const upstreamBackOff = { firstMs: 1000, maxMs: 60_000 };

export function createMetadataServer(deps: MetadataServerDeps = {}): ServiceDefinition {
  return {
    name: 'metadata-server',
    api: metadataServerApi,
    apiPort: 'metrics',
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

async function checkSecrets(rack: Rack): Promise<string[]> {
  const problems: string[] = [];
  await openAccounts(rack, {
    now: Date.now,
    onUnreadable: (identity, error) => problems.push(`identities.${identity}: ${errorText(error)}`),
    onOtherEmail: (identity, why) => problems.push(`identities.${identity}.email: ${why}`),
  });
  return problems;
}

async function start(context: ServiceContext, deps: MetadataServerDeps): Promise<Service> {
  const { rack: watch, log, clock, degraded, lastSuccess, stateDir, signal } = context;
  const { findMac = neighbourTable(), tickMs = 5000 } = deps;
  const watchers = new Watchers();
  const limiter = new RateLimiter(watch.rack.services['metadata-server'].rateLimit);
  const complaints = new Complaints();
  const metrics = createMetrics(context.metrics, { tokens: () => tokens, watchers });
  const unreadable = new Set<string>();
  let handover = new Handover(handoverFolder(watch.rack, stateDir));
  let handingOver: Promise<unknown> = Promise.resolve();
  let reloading = Promise.resolve();

  const tokens: Tokens = new Tokens({
    clock,
    random: Math.random,
    backOff: (failures) => backOffMs(failures, upstreamBackOff) / 1000,
    dir: () => watch.rack.dir,
    onUpstreamCall(call) {
      metrics.upstreamCall(call);
      const { name } = call.account.identity;
      // A call may outlive its identity, or its credentials.
      if (state.accounts.get(name)?.key !== call.account.key || call.what === 'id-token') return;
      if (call.error !== undefined) {
        degraded.raise(`identity ${name}`, errorText(call.error));
        return;
      }
      lastSuccess.mark(name);
      degraded.clear(`identity ${name}`);
      // It may be that of another account: the key file is read at each renewal.
      void reload();
    },
    onTokens() {
      watchers.wake();
      handOver();
    },
  });

  const clients = new Clients(join(stateDir, 'clients.json'));
  await unlessItFails('clients file', () => clients.load());
  const handedOver = (await unlessItFails('token hand-over', () => handover.load())) ?? [];
  let state = enforce(watch.rack, await readAccounts(watch.rack));
  tokens.adopt(state.accounts, handedOver);
  await tokens.tick();

  /** Runs something that is not worth stopping for, and says in readyz if it fails. */
  async function unlessItFails<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await run();
      degraded.clear(what);
      return result;
    } catch (error) {
      degraded.raise(what, errorText(error));
      return undefined;
    }
  }

  function handOver(): void {
    handingOver = unlessItFails('token hand-over', () => handover.save(tokens.toHandOver()));
  }

  async function readAccounts(rack: Rack): Promise<Accounts> {
    const otherEmail = new Set<string>();
    unreadable.clear();
    const accounts = await openAccounts(rack, {
      now: () => clock.now(),
      onOtherEmail(identity, why) {
        otherEmail.add(identity);
        degraded.raise(`e-mail of identity ${identity}`, why);
      },
      onUnreadable(identity, error) {
        unreadable.add(identity);
        degraded.raise(`identity ${identity}`, errorText(error));
      },
    });
    for (const name of accounts.keys()) {
      if (!otherEmail.has(name)) degraded.clear(`e-mail of identity ${name}`);
    }
    return accounts;
  }

  /** What was said of identities that are gone, or that are well without a new token. */
  function clearIdentities(previous: Rack, { identities }: Rack): void {
    for (const name of previous.identities.keys()) {
      if (identities.has(name)) continue;
      degraded.clear(`identity ${name}`);
      degraded.clear(`e-mail of identity ${name}`);
    }
    for (const { account, token } of tokens.status()) {
      const { name } = account.identity;
      const isWell = !unreadable.has(name) && !token.failing && token.unexpired() !== undefined;
      if (isWell) degraded.clear(`identity ${name}`);
    }
  }

  /** From here on requests see this version of rack.yaml, and tokens are those of its accounts. */
  function enforce(rack: Rack, accounts: Accounts): RackState {
    tokens.setAccounts(accounts);
    limiter.setLimit(rack.services['metadata-server'].rateLimit);
    lastSuccess.retain(accounts.keys());
    return new RackState(rack, accounts, { clients, tokens });
  }

  /** One at a time, and the last one wins: it reads what is in force when its turn comes. */
  function reload(): Promise<void> {
    reloading = reloading.then(async () => {
      const { rack } = watch;
      const previous = state;
      const accounts = await readAccounts(rack);
      // Requests under way start anew with another state: not without need, so not at each look at a key.
      if (rack !== previous.rack || !sameEmails(accounts, previous.accounts)) {
        state = enforce(rack, accounts);
      }
      clearIdentities(previous.rack, rack);
      if (state !== previous) handOver();
      await tokens.tick();
      watchers.wake();
    });
    return reloading;
  }

  const stopListening = watch.onChange((rack, previous) => {
    const folder = handoverFolder(rack, stateDir);
    if (folder !== handoverFolder(previous, stateDir)) handover = new Handover(folder);
    void reload();
  });
  const ticking = setInterval(() => {
    limiter.forgetIdle();
    void tokens.tick();
    if (unreadable.size > 0) void reload();
  }, tickMs);
  const saveClients = () => unlessItFails('clients file', () => clients.save());
  const saving = setInterval(() => void saveClients(), saveClientsEvery);
  signal.addEventListener('abort', () => watchers.close());
  lastSuccess.expose(context.metrics, {
    name: 'skolo_metadata_last_success_timestamp_seconds',
    help: 'When upstream last gave a token of an identity; kept across restarts, 0 = never.',
    label: 'identity',
    names: () => watch.rack.identities.keys(),
  });

  return {
    handler: createHandler({
      state: () => state,
      tokens,
      watchers,
      limiter,
      clients,
      findMac,
      clock,
      onAnswered: metrics.answered,
      onUnknownCaller({ caller: { kind, name, address } }) {
        metrics.unknownCaller();
        complaints.make(address, () => {
          log.warn({ address, name, kind }, 'caller without identity');
        });
      },
      onMacMismatch({ caller }, seen, err) {
        metrics.macMismatch(caller.name);
        complaints.make(`${caller.address} ${seen}`, () => {
          const expected = caller.machine?.mac;
          log.error(
            { machine: caller.name, address: caller.address, expected, seen, err },
            'MAC mismatch',
          );
        });
      },
      onError: (err) => log.error({ err }, 'request failed'),
    }),
    serverOptions: {
      // Longer than the polls of Google's guest agents, and than idle connections of Go and Python live.
      keepAliveTimeout: 80_000,
      headersTimeout: 30_000,
      requestTimeout: 60_000,
    },
    admin: (app) => {
      app.use(adminRoutes({ ...context, state: () => state, clients, tokens, lastSuccess }));
    },
    readiness() {
      const usual = tokens.status();
      const ready =
        usual.length === 0 || usual.some(({ token }) => token.unexpired() !== undefined);
      return { ready, degraded: [] };
    },
    async stop() {
      stopListening();
      clearInterval(ticking);
      clearInterval(saving);
      await reloading;
      await tokens.close();
      await handingOver;
      await saveClients();
    },
  };
}

/** Of the same version of rack.yaml: what its credential files add to it. */
function sameEmails(accounts: Accounts, others: Accounts): boolean {
  return [...accounts].every(([name, { email }]) => others.get(name)?.email === email);
}
