/** Waits for the test alert where everybody reads: a subscription that was there before it was sent. */
import { type Received, SubscribeError, type SubscriptionState, subscribe } from '@skolo/alerts';
import { CliError } from '../../errors.ts';
import type { Source } from './pubsub-options.ts';
import type { AlertToPubsub } from './service.ts';
import { whereItWaits } from './where-it-waits.ts';
import { Expected, toConnect, within } from './within.ts';

interface ArrivalsDeps {
  source: Source;
  service: AlertToPubsub;
  withinMs: number;
  signal: AbortSignal;
  test: { label: string; id: string };
}

export class Arrivals {
  readonly word = 'arrived';
  private readonly deps: ArrivalsDeps;
  private readonly ending = new AbortController();
  private readonly ended: Promise<void>;
  private readonly listening = new Expected();
  private readonly arrivals = {
    firing: new Expected(),
    resolved: new Expected(),
  };
  private lost: string | undefined;

  constructor(deps: ArrivalsDeps) {
    const { source, signal } = deps;
    const { connection, topic, subscription, fields } = source;
    this.deps = deps;
    this.ended = subscribe(connection, {
      topic,
      subscription,
      fields,
      signal: AbortSignal.any([signal, this.ending.signal]),
      onMessage: (message) => this.look(message),
      onState: (state) => this.changed(state),
    });
    this.ended.catch((error: unknown) => this.listening.fails(error));
  }

  async ready(): Promise<void> {
    const { withinMs, signal } = this.deps;
    const isReady = await within(this.listening.happened, toConnect(withinMs), signal);
    if (!isReady) throw new CliError(`cannot listen: ${this.lost ?? 'Pub/Sub does not answer'}`);
  }

  async arrived(status: 'firing' | 'resolved'): Promise<void> {
    const { withinMs, signal, service } = this.deps;
    if (await within(this.arrivals[status].happened, withinMs, signal)) return;
    const where = this.lost ?? (await whereItWaits(service, 'pubsub'));
    throw new CliError(`${status}: not arrived within ${withinMs / 1000} s: ${where}`);
  }

  async end(): Promise<void> {
    this.ending.abort();
    await this.ended.catch((error: unknown) => {
      if (!(error instanceof SubscribeError)) throw error;
    });
  }

  private look({ decoded }: Received): void {
    const { label, id } = this.deps.test;
    if (decoded.kind !== 'transition' && decoded.kind !== 'refresh') return;
    if (decoded.values[label] === id) this.arrivals[decoded.status].happens();
  }

  private changed(state: SubscriptionState): void {
    if (state.state === 'ready') this.listening.happens();
    if (state.state === 'ready') this.lost = undefined;
    if (state.state === 'lost') this.lost = state.error.message;
  }
}
