/** Waits until a test alert is delivered. */

import { setTimeout } from 'node:timers/promises';
import { type Received, SubscribeError, type SubscriptionState, subscribe } from '@skolo/alerts';
import type { alertToPubsubApi, ClientAnswer } from '@skolo/api';
import { errorText } from '@skolo/errors';
import { CliError } from '../../errors.ts';
import { duration, relative } from '../../output/time.ts';
import type { AlertToPubsub } from '../../service-client.ts';
import type { Source } from './pubsub-options.ts';
import { toConnect, within } from './within.ts';

/** Response of `GET /v1/status`. */
export type AlertToPubsubStatus = ClientAnswer<(typeof alertToPubsubApi)['status']>;

interface PubSubDeliveryDeps {
  source: Source;
  service: AlertToPubsub;
  withinMs: number;
  signal: AbortSignal;
  test: { label: string; id: string };
}

/** Waits for it at Pub/Sub, with a subscription that exists before the alert is sent. */
export class PubSubDelivery {
  readonly verb = 'arrived';
  private readonly deps: PubSubDeliveryDeps;
  private readonly ending = new AbortController();
  private readonly ended: Promise<void>;
  private readonly listening = Promise.withResolvers<void>();
  private readonly arrivals = {
    firing: Promise.withResolvers<void>(),
    resolved: Promise.withResolvers<void>(),
  };
  private lost: string | undefined;

  constructor(deps: PubSubDeliveryDeps) {
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
    this.ended.catch(this.listening.reject);
    // A rejection may come while no caller waits.
    this.listening.promise.catch(() => undefined);
  }

  async ready(): Promise<void> {
    const { withinMs, signal } = this.deps;
    const isReady = await within(this.listening.promise, toConnect(withinMs), signal);
    if (!isReady) throw new CliError(`cannot subscribe: ${this.lost ?? 'Pub/Sub does not answer'}`);
  }

  async arrived(status: 'firing' | 'resolved'): Promise<void> {
    const { withinMs, signal, service } = this.deps;
    if (await within(this.arrivals[status].promise, withinMs, signal)) return;
    const where = this.lost ?? (await whereQueued(service, 'pubsub'));
    throw new CliError(`${status}: did not arrive within ${withinMs / 1000} s: ${where}`);
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
    if (decoded.values[label] === id) this.arrivals[decoded.status].resolve();
  }

  private changed(state: SubscriptionState): void {
    if (state.state === 'ready') this.listening.resolve();
    if (state.state === 'ready') this.lost = undefined;
    if (state.state === 'lost') this.lost = state.error.message;
  }
}

interface SinkDeliveryDeps {
  service: AlertToPubsub;
  withinMs: number;
  signal: AbortSignal;
}

const pauseMs = 200;
/** The response rounds times. */
const roundingMs = 100;

/** Waits until no sink queues it. */
export class SinkDelivery {
  readonly verb = 'sent';
  private readonly deps: SinkDeliveryDeps;

  constructor(deps: SinkDeliveryDeps) {
    this.deps = deps;
  }

  async ready(): Promise<void> {}

  /** Resolves when each queued message is younger than the alert. */
  async arrived(status: 'firing' | 'resolved', acceptedAt: number): Promise<void> {
    const { service, withinMs, signal } = this.deps;
    for (;;) {
      // Before the request: by the time of the response the alert is older than this.
      const ageMs = performance.now() - acceptedAt;
      const { sinks } = await service.ask((client) => client.status({ signal }));
      const younger = (seconds: number) => seconds * 1000 < ageMs - roundingMs;
      if (sinks.every(({ depth, oldestSeconds }) => depth === 0 || younger(oldestSeconds))) return;
      if (ageMs >= withinMs) break;
      await setTimeout(pauseMs, undefined, { signal });
    }
    const where = await whereQueued(service, 'any');
    throw new CliError(`${status}: was not sent within ${withinMs / 1000} s: ${where}`);
  }

  async end(): Promise<void> {}
}

/** Where the alert is queued, as the service reports it. */
async function whereQueued(service: AlertToPubsub, kind: 'pubsub' | 'any'): Promise<string> {
  let status: AlertToPubsubStatus;
  try {
    status = await service.ask((client) => client.status());
  } catch (error) {
    const why = errorText(error);
    return `accepted, but the service does not answer: ${why}`;
  }
  const { location, sinks } = status;
  const all = sinks.filter((sink) => kind === 'any' || sink.kind === 'pubsub');
  const stuck = all.filter(({ depth, failingSince }) => depth > 0 || failingSince !== undefined);
  if (all.length === 0) {
    const others = sinks.map(({ name }) => name).join(', ') || 'none';
    return `${location} does not send to Pub/Sub (sinks: ${others}); see services.alert-to-pubsub.pubsub in its rack.yaml`;
  }
  if (stuck.length > 0) {
    return stuck
      .map(({ name, depth, oldestSeconds, reason, detail }) => {
        const why = [reason, detail].filter(Boolean).join(': ');
        const oldest = depth > 0 ? `, the oldest for ${duration(oldestSeconds)}` : '';
        return `accepted, and queued at ${location}: ${depth} for ${name}${oldest}${why && `; ${why}`}`;
      })
      .join('; ');
  }
  const arrived = all.map(({ name, lastSuccess }) =>
    lastSuccess === undefined
      ? `${name} has never accepted a message`
      : `${name} accepted a message ${relative(lastSuccess, Date.now())}`,
  );
  return `${location} queues nothing, and ${arrived.join(', ')}; check that project and topic are the same`;
}
