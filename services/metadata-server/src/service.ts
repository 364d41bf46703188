/** Connects the parts of the metadata server, and decides when it is ready: while any of its tokens is valid. */
import { join } from 'node:path';
import { metadataServerApi } from '@skolo/api';
import { backOffMs, errorText, repeat } from '@skolo/base';
import {
  createEvents,
  type FindMac,
  neighbourTable,
  RateLimiter,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import type { Finding, Rack } from '@skolo/rack';
import { adminRoutes } from './admin.ts';
import { metadataApp } from './app.ts';
import { CallerStats } from './caller/caller-stats.ts';
import { malformedPage } from './document/answers.ts';
import { Watchers } from './document/watchers.ts';
import { createEventLog } from './event-log.ts';
import type { EmitMetadata, MetadataEvent } from './events.ts';
import { createMetrics } from './metrics.ts';
import { CurrentState } from './state/current-state.ts';
import { openAccounts } from './tokens/accounts.ts';
import { SavedTokens, savedTokensFolder } from './tokens/saved-tokens.ts';
import { Tokens } from './tokens/tokens.ts';

/** What a test may replace. */
export interface MetadataServerDeps {
  findMac?: FindMac;
  /** Milliseconds between two checks of what is due. */
  tickMs?: number;
  /** How long a request waits for a token, in milliseconds. */
  patienceMs?: number;
  /** Time limit of a call of the token endpoint, in milliseconds. */
  upstreamMs?: number;
}

/** Written so rarely that an SSD does not wear; in milliseconds. */
const saveStatsEvery = 5 * 60_000;

const upstreamBackOff = { firstMs: 1000, maxMs: 60_000 };

/** Longer than the poll intervals of Google's guest agents, and than the idle timeouts of Go and Python. */
const serverOptions = { keepAliveTimeout: 80_000 };

export function createMetadataServer(deps: MetadataServerDeps = {}): ServiceDefinition {
  return {
    name: 'metadata-server',
    api: metadataServerApi,
    apiPort: 'metrics',
    serverOptions,
    answerMalformed: malformedPage,
    check,
    start: (context) => start(context, deps),
  };
}

async function check(rack: Rack): Promise<Finding[]> {
  const accounts = await openAccounts(rack, Date.now);
  return [...accounts].flatMap(([name, { otherEmail: message }]) =>
    message === undefined ? [] : [{ path: ['identities', name, 'email'], message }],
  );
}

async function start(context: ServiceContext, deps: MetadataServerDeps): Promise<Service> {
  const { rack: watch, clock, degraded, lastSuccess, stateDir, signal } = context;
  const { findMac = neighbourTable(), tickMs = 5000, patienceMs, upstreamMs } = deps;
  const rack = () => watch.rack;
  const events = createEvents<MetadataEvent>();
  const { emit } = events;

  const watchers = new Watchers();
  const { rateLimit } = rack().services['metadata-server'];
  const limiter = new RateLimiter(rateLimit, () => clock.uptime() * 1000);
  const stats = new CallerStats(join(stateDir, 'clients.json'));
  const savedTokens = new SavedTokens(() => savedTokensFolder(rack(), stateDir));
  const backOff = (failures: number) => backOffMs(failures, upstreamBackOff) / 1000;
  const tokens = new Tokens({ clock, random: Math.random, backOff, emit, upstreamMs });
  const current = new CurrentState({ watch, clock, lastSuccess, tokens, stats, limiter, emit });
  const state = () => current.get();
  let savingTokens: Promise<unknown> = Promise.resolve();

  const count = createMetrics(context.metrics, { rack, tokens, watchers });
  const logEvent = createEventLog(context.log);
  const saveTokens = () => {
    savingTokens = orDegraded('saved tokens', () => savedTokens.save(tokens.toSave()), emit);
  };
  const effects = { count, logEvent, degraded, current, watchers, saveTokens };
  events.consume((event) => react(event, effects));
  lastSuccess.expose(context.metrics, {
    name: 'skolo_metadata_last_success_timestamp_seconds',
    help: 'When the token endpoint last returned a token for an identity; kept across restarts; 0 if never.',
    label: 'identity',
    names: () => rack().identities.keys(),
  });

  await orDegraded('clients file', () => stats.load(), emit);
  const saved = await orDegraded('saved tokens', () => savedTokens.load(), emit);
  const { accounts } = await current.open();
  tokens.adopt(accounts, saved ?? []);
  tokens.tick();

  const unfollow = watch.onChange(() => void current.reload());
  const ticking = setInterval(() => {
    limiter.forgetIdle();
    tokens.tick();
  }, tickMs);
  repeat(tickMs, () => current.tick(), signal, 'later');
  const saveStats = () => orDegraded('clients file', () => stats.save(), emit);
  const saving = repeat(saveStatsEvery, saveStats, signal, 'later');
  signal.addEventListener('abort', () => watchers.close());

  return {
    handler: metadataApp({
      state,
      tokens,
      watchers,
      limiter,
      stats,
      findMac,
      clock,
      emit,
      patienceMs,
    }),
    admin: adminRoutes({ state, stats, tokens, lastSuccess }),
    readiness: () => ({ ready: isReady(tokens), degraded: [] }),
    async stop() {
      unfollow();
      clearInterval(ticking);
      await current.idle();
      await tokens.close();
      await savingTokens;
      // An earlier one that ends last would replace newer counts.
      await saving.ended;
      await saveStats();
    },
  };
}

interface Effects extends Record<'count' | 'logEvent', EmitMetadata> {
  degraded: ServiceContext['degraded'];
  current: CurrentState;
  watchers: Watchers;
  saveTokens(): void;
}

/** All that an event leads to, in this order. */
function react(event: MetadataEvent, effects: Effects): void {
  const { count, logEvent, degraded, current, watchers, saveTokens } = effects;
  count(event);
  logEvent(event);
  switch (event.type) {
    case 'degraded':
      degraded.set(event.what, event.why);
      break;
    case 'upstream-call':
      current.noteCall(event.call);
      break;
    case 'tokens-changed':
    case 'state-replaced':
      watchers.wake();
      saveTokens();
      break;
  }
}

/** Whether any of the tokens that are renewed is valid. */
function isReady(tokens: Tokens): boolean {
  const usual = tokens.status();
  return usual.length === 0 || usual.some(({ token }) => token.unexpired() !== undefined);
}

/** Runs an optional task. A failure degrades the service until the next success. */
async function orDegraded<T>(
  what: string,
  run: () => Promise<T>,
  emit: EmitMetadata,
): Promise<T | undefined> {
  try {
    const result = await run();
    emit({ type: 'degraded', what });
    return result;
  } catch (error) {
    emit({ type: 'degraded', what, why: errorText(error) });
    return undefined;
  }
}
