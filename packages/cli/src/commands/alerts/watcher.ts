/** Receives heartbeats, keeps the state of each rack, and decides how often racks are checked for silence. */
import {
  type Alert,
  DeadMan,
  momentNow,
  type Received,
  type Report,
  type SubscriptionState,
  subscribe,
  type WatchState,
  watchChanges,
  writeWatchState,
} from '@skolo/alerts';
import { errorText } from '@skolo/base';
import { CliError, complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import type { Notifier } from './notifier.ts';
import type { Source } from './pubsub-options.ts';
import { stateReporter } from './tail.ts';
import { toConnect, within } from './within.ts';

interface WatcherDeps {
  source: Source;
  locations: readonly string[];
  silentAfterMs: number;
  stateFile: string | undefined;
  kept: WatchState | undefined;
  notifier: Notifier | undefined;
  io: Io;
}

export interface WatchFacts {
  report: Report;
  /** Why Pub/Sub cannot be reached. */
  blindWhy: string | undefined;
  /** Messages that the sink has not yet accepted. */
  unsent: number;
}

/** How often locations are checked for silence. */
const checkMs = 1000;
/** How often heartbeat times are saved. */
const saveMs = 60_000;
const longestIdleMs = 20_000;
const flushMs = 10_000;

export class Watcher {
  private readonly deps: WatcherDeps;
  private deadMan: DeadMan;
  private firing: Alert[];
  private blindWhy: string | undefined;
  private readonly listening = Promise.withResolvers<void>();
  private readonly allReceived = Promise.withResolvers<void>();
  private listener: ((facts: WatchFacts) => void) | undefined;
  private saved = '';
  private savedAt = Number.NEGATIVE_INFINITY;
  private saving: Promise<void> = Promise.resolve();

  constructor(deps: WatcherDeps) {
    this.deps = deps;
    this.deadMan = this.newDeadMan(deps.silentAfterMs);
    this.firing = deps.kept?.firing ?? [];
    deps.notifier?.onDequeued(() => this.save());
  }

  facts(): WatchFacts {
    return {
      report: this.deadMan.report(momentNow()),
      blindWhy: this.blindWhy,
      unsent: this.deps.notifier?.waiting.length ?? 0,
    };
  }

  onChange(listener: (facts: WatchFacts) => void): void {
    this.listener = listener;
  }

  /**
   * Runs until `signal` is aborted.
   *
   * @throws SubscribeError It cannot subscribe, and a retry does not help.
   */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => {
      this.deadMan.beat(momentNow());
      this.notifyChanges();
    }, checkMs);
    await this.listen(signal).finally(() => clearInterval(timer));
    await this.flush();
  }

  /**
   * Waits until a heartbeat of each location has arrived, or `withinMs` is over.
   *
   * @throws SubscribeError
   * @throws CliError Pub/Sub does not respond.
   */
  async once(withinMs: number, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    this.deadMan = this.newDeadMan(Math.min(withinMs, this.deps.silentAfterMs));
    const ended = this.listen(AbortSignal.any([signal, ending.signal]));
    ended.catch(this.listening.reject);
    // It may reject while no caller is waiting.
    this.listening.promise.catch(() => undefined);
    try {
      if (!(await within(this.listening.promise, toConnect(withinMs), signal))) {
        throw new CliError(
          `cannot subscribe: ${this.blindWhy ?? 'Pub/Sub did not respond in time'}`,
        );
      }
      await within(this.allReceived.promise, withinMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ending.abort();
      // Its error was thrown above.
      await ended.catch(() => undefined);
    }
    if (signal.aborted) return;
    if (this.blindWhy === undefined) this.deadMan.conclude(momentNow());
    this.notifyChanges();
    await this.flush();
  }

  async close(): Promise<void> {
    this.save();
    await this.saving;
    await this.deps.notifier?.close();
  }

  private newDeadMan(silentAfterMs: number): DeadMan {
    const { locations, kept, source } = this.deps;
    return new DeadMan({
      locations,
      silentAfterMs,
      began: momentNow(),
      mayBeOld: source.subscription !== undefined,
      ...(kept && { kept: kept.locations }),
    });
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const { source, silentAfterMs, io } = this.deps;
    const { connection, topic, subscription, fields } = source;
    const report = stateReporter(io);
    await subscribe(connection, {
      topic,
      subscription,
      fields,
      onlyHeartbeats: true,
      // A lost connection must be noticed before a rack counts as silent.
      idleMs: Math.min(longestIdleMs, silentAfterMs / 4),
      signal,
      onMessage: (message) => this.receive(message),
      onState: (state) => {
        if (state.state === 'left') report(state);
        else this.changed(state);
      },
    });
  }

  private receive({ decoded, published }: Received): void {
    if (decoded.kind !== 'heartbeat' || decoded.location === undefined) return;
    const { location, healthy, why, version, spoolDepth, spoolOldestSeconds } = decoded;
    const facts = { healthy, why, version, spoolDepth, spoolOldestSeconds };
    this.deadMan.received({ location, published, ...facts }, momentNow());
    this.notifyChanges();
  }

  private changed(state: SubscriptionState): void {
    const now = momentNow();
    if (state.state === 'ready') {
      this.deadMan.seeing(now);
      this.blindWhy = undefined;
      this.listening.resolve();
    } else if (state.state === 'lost') {
      this.deadMan.blind(now);
      this.blindWhy = state.error.message;
    }
    this.notifyChanges();
  }

  private notifyChanges(): void {
    const facts = this.facts();
    const { notifier, silentAfterMs } = this.deps;
    if (notifier) {
      const watch = { report: facts.report, now: Date.now(), blindAfterMs: silentAfterMs };
      const { messages, firing } = watchChanges(this.firing, watch);
      this.firing = firing;
      notifier.notify(messages);
    }
    this.listener?.(facts);
    const { locations } = facts.report;
    if (locations.every(({ state }) => state === 'well' || state === 'unhealthy')) {
      this.allReceived.resolve();
    }
    this.saveSoon(facts.report);
  }

  /** Saves changes immediately, but heartbeat times only occasionally. */
  private saveSoon({ locations }: Report): void {
    const worth = JSON.stringify([locations.map(({ state }) => state), this.firing]);
    if (worth === this.saved && performance.now() - this.savedAt < saveMs) return;
    this.saved = worth;
    this.save();
  }

  /** One write at a time. */
  private save(): void {
    const { stateFile: file, notifier, io } = this.deps;
    if (file === undefined) return;
    this.savedAt = performance.now();
    const write = async () => {
      const state = {
        locations: this.deadMan.stateAt(momentNow()),
        firing: this.firing,
        waiting: [...(notifier?.waiting ?? [])],
      };
      try {
        await writeWatchState(file, state);
      } catch (error) {
        complain(io, errorText(error));
      }
    };
    this.saving = this.saving.then(write);
  }

  /** Sends queued messages before exiting, as far as possible. */
  private async flush(): Promise<void> {
    await this.deps.notifier?.flush(flushMs);
  }
}
