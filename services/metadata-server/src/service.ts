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
import { readAgentDigests } from './agent-digests.ts';
import { malformedPage } from './answers.ts';
import { Clients } from './clients.ts';
import { Complaints } from './complaints.ts';
import { limitConnections } from './connections.ts';
import { CurrentState } from './current-state.ts';
import { createHandler } from './handler.ts';
import { Handover, handoverFolder } from './handover.ts';
import { openAccounts } from './identity.ts';
import { createMetrics } from './metrics.ts';
import { type FindMac, neighbourTable } from './neighbours.ts';
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
  await readAgentDigests(rack, (login, error) =>
    problems.push(`logins.${login}.token: ${errorText(error)}`),
  );
  return problems;
}

async function start(context: ServiceContext, deps: MetadataServerDeps): Promise<Service> {
  const { rack: watch, log, clock, degraded, lastSuccess, stateDir, signal } = context;
  const { findMac = neighbourTable(), tickMs = 5000 } = deps;
  const watchers = new Watchers();
  const limiter = new RateLimiter(watch.rack.services['metadata-server'].rateLimit);
  const complaints = new Complaints();
  const clients = new Clients(join(stateDir, 'clients.json'));
  const metrics = createMetrics(context.metrics, {
    rack: () => watch.rack,
    tokens: () => tokens,
    watchers,
  });
  let handover = new Handover(handoverFolder(watch.rack, stateDir));
  let handingOver: Promise<unknown> = Promise.resolve();

  const tokens: Tokens = new Tokens({
    clock,
    random: Math.random,
    backOff: (failures) => backOffMs(failures, upstreamBackOff) / 1000,
    dir: () => watch.rack.dir,
    onUpstreamCall(call) {
      metrics.upstreamCall(call);
      const { name } = call.account.identity;
      // A call may outlive its identity, or its credentials.
      const isCurrent = state.get().accounts.get(name)?.key === call.account.key;
      if (!isCurrent || call.what === 'id-token') return;
      if (call.error !== undefined) {
        degraded.raise(`identity ${name}`, errorText(call.error));
        return;
      }
      lastSuccess.mark(name);
      degraded.clear(`identity ${name}`);
      // It may be that of another account: the key file is read at each renewal.
      void state.reload();
    },
    onTokens: handOver,
  });
  const onReplaced = handOver;
  const state = new CurrentState({ ...context, watch, tokens, clients, limiter, onReplaced });

  /** Those who wait for a token, and the next process. */
  function handOver(): void {
    watchers.wake();
    handingOver = unlessItFails('token hand-over', () => handover.save(tokens.toHandOver()));
  }

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

  await unlessItFails('clients file', () => clients.load());
  const handedOver = (await unlessItFails('token hand-over', () => handover.load())) ?? [];
  const { accounts } = await state.open();
  tokens.adopt(accounts, handedOver);
  await tokens.tick();

  const stopListening = watch.onChange((rack, previous) => {
    const folder = handoverFolder(rack, stateDir);
    if (folder !== handoverFolder(previous, stateDir)) handover = new Handover(folder);
    void state.reload();
  });
  const ticking = setInterval(() => {
    limiter.forgetIdle();
    void tokens.tick();
    state.tick();
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
      state: () => state.get(),
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
      onForeignHost({ caller: { name, address } }, why) {
        complaints.make(`host ${address}`, () => log.warn({ address, name, why }, 'foreign host'));
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
    onConnection: limitConnections({
      most: (address) => state.get().mostConnections(address),
      onRejected(address) {
        metrics.answered('other', 429, 'none');
        complaints.make(`connections ${address}`, () =>
          log.warn({ address }, 'too many connections'),
        );
      },
    }),
    serverOptions: {
      // Longer than the polls of Google's guest agents, and than idle connections of Go and Python live.
      keepAliveTimeout: 80_000,
      headersTimeout: 30_000,
      requestTimeout: 60_000,
    },
    answerMalformed: malformedPage,
    admin: adminRoutes({ state: () => state.get(), clients, tokens, lastSuccess }),
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
      await state.idle();
      await tokens.close();
      await handingOver;
      await saveClients();
    },
  };
}
