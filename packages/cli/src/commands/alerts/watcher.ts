/** Listens for heartbeats, and keeps what follows from them. */
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
import { errorText } from '@skolo/errors';
import { CliError, complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import type { Notifier } from './notifier.ts';
import type { Source } from './pubsub-options.ts';
import { tellState } from './tail.ts';
import { Expected, toConnect, within } from './within.ts';

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
  /** Why nothing can be heard. */
  blindWhy: string | undefined;
  /** Changes that could not be told yet. */
  notToldYet: number;
}

/** How often it is looked at who has become silent. */
const lookMs = 1000;
/** The time last heard is not worth more. */
const saveMs = 60_000;
const longestIdleMs = 20_000;
const lastWordsMs = 10_000;

export class Watcher {
  private readonly deps: WatcherDeps;
  private man: DeadMan;
  private firing: Alert[];
  private blindWhy: string | undefined;
  private readonly listening = new Expected();
  private readonly allHeard = new Expected();
  private listener: ((facts: WatchFacts) => void) | undefined;
  private saved = '';
  private savedAt = Number.NEGATIVE_INFINITY;
  private saving: Promise<void> = Promise.resolve();

  constructor(deps: WatcherDeps) {
    this.deps = deps;
    this.man = this.newMan(deps.silentAfterMs);
    this.firing = deps.kept?.firing ?? [];
    deps.notifier?.onTold(() => this.save());
  }

  facts(): WatchFacts {
    return {
      report: this.man.report(momentNow()),
      blindWhy: this.blindWhy,
      notToldYet: this.deps.notifier?.waiting.length ?? 0,
    };
  }

  onChange(listener: (facts: WatchFacts) => void): void {
    this.listener = listener;
  }

  /**
   * Until it is told to end.
   *
   * @throws SubscribeError It cannot listen, and that does not pass.
   */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.look(), lookMs);
    try {
      await this.listen(signal);
    } finally {
      clearInterval(timer);
    }
    await this.lastWords();
  }

  /**
   * Until all were heard, or the time is over.
   *
   * @throws SubscribeError
   * @throws CliError Nothing could be heard.
   */
  async once(withinMs: number, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    this.man = this.newMan(Math.min(withinMs, this.deps.silentAfterMs));
    const ended = this.listen(AbortSignal.any([signal, ending.signal]));
    ended.catch((error: unknown) => this.listening.fails(error));
    try {
      if (!(await within(this.listening.happened, toConnect(withinMs), signal))) {
        throw new CliError(`nobody can be heard: ${this.blindWhy ?? 'Pub/Sub does not answer'}`);
      }
      await within(this.allHeard.happened, withinMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ending.abort();
      // What it has to say was said above.
      await ended.catch(() => undefined);
    }
    if (signal.aborted) return;
    if (this.blindWhy === undefined) this.man.conclude(momentNow());
    this.look();
    await this.lastWords();
  }

  async close(): Promise<void> {
    this.save();
    await this.saving;
    await this.deps.notifier?.close();
  }

  private newMan(silentAfterMs: number): DeadMan {
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
    const tell = tellState(io);
    await subscribe(connection, {
      topic,
      subscription,
      fields,
      onlyHeartbeats: true,
      // It has to be known before the first rack would count as silent.
      idleMs: Math.min(longestIdleMs, silentAfterMs / 4),
      signal,
      onMessage: (message) => this.heard(message),
      onState: (state) => {
        if (state.state === 'left') tell(state);
        else this.changed(state);
      },
    });
  }

  private heard({ decoded, published }: Received): void {
    if (decoded.kind !== 'heartbeat' || decoded.location === undefined) return;
    const { location, healthy, why, version, spoolDepth, spoolOldestSeconds } = decoded;
    const facts = { healthy, why, version, spoolDepth, spoolOldestSeconds };
    this.man.heard({ location, published, ...facts }, momentNow());
    this.look();
  }

  private changed(state: SubscriptionState): void {
    const now = momentNow();
    if (state.state === 'ready') {
      this.man.seeing(now);
      this.blindWhy = undefined;
      this.listening.happens();
    } else if (state.state === 'lost') {
      this.man.blind(now);
      this.blindWhy = state.error.message;
    }
    this.look();
  }

  private look(): void {
    const facts = this.facts();
    const { notifier, silentAfterMs } = this.deps;
    if (notifier) {
      const watch = { report: facts.report, now: Date.now(), blindAfterMs: silentAfterMs };
      const { messages, firing } = watchChanges(this.firing, watch);
      this.firing = firing;
      notifier.tell(messages);
    }
    this.listener?.(facts);
    const { locations } = facts.report;
    if (locations.every(({ state }) => state === 'well' || state === 'unhealthy')) {
      this.allHeard.happens();
    }
    this.saveSoon(facts.report);
  }

  /** At once when something has changed that is worth it. */
  private saveSoon({ locations }: Report): void {
    const worth = JSON.stringify([locations.map(({ state }) => state), this.firing]);
    if (worth === this.saved && performance.now() - this.savedAt < saveMs) return;
    this.saved = worth;
    this.save();
  }

  /** One after the other, and never more than one that waits. */
  private save(): void {
    const { stateFile: file, notifier, io } = this.deps;
    if (file === undefined) return;
    this.savedAt = performance.now();
    const write = async () => {
      const state = {
        locations: this.man.keep(momentNow()),
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

  /** What was seen is told before it ends, if that is possible. */
  private async lastWords(): Promise<void> {
    await this.deps.notifier?.flush(lastWordsMs);
  }
}
