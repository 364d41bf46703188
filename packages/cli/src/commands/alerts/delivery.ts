/** Waits until a test alert is delivered, or gives up. */
import { SubscribeError, subscribe } from '@skolo/alerts';
import type { alertToPubsubApi, ClientAnswer } from '@skolo/api';
import { count, errorText, pause } from '@skolo/base';
import { CliError } from '../../errors.ts';
import { duration, relative } from '../../output/time.ts';
import type { AlertToPubsub } from '../../reach/service-client.ts';
import type { Source } from './pubsub-options.ts';
import { toConnect, within } from './within.ts';

/** Response of `GET /v1/status`. */
export type AlertToPubsubStatus = ClientAnswer<(typeof alertToPubsubApi)['status']>;

export type AlertStatus = 'firing' | 'resolved';

/** How the delivery is observed. */
export interface Delivery {
  /** Resolves when the alert may be sent. */
  ready(): Promise<void>;
  /** @throws CliError It did not arrive in time; the message names the queue. */
  arrived(status: AlertStatus, acceptedAt: number): Promise<void>;
  /** For the output. */
  verb: string;
  end(): Promise<void>;
}

interface DeliveryDeps {
  service: AlertToPubsub;
  withinMs: number;
  signal: AbortSignal;
}

/** Observed at Pub/Sub, through a subscription that exists before the alert is sent. */
export function pubSubDelivery(
  { connection, topic, subscription, fields }: Source,
  test: { label: string; id: string },
  { service, withinMs, signal }: DeliveryDeps,
): Delivery {
  const ending = new AbortController();
  const listening = Promise.withResolvers<void>();
  const arrivals = {
    firing: Promise.withResolvers<void>(),
    resolved: Promise.withResolvers<void>(),
  };
  let lost: string | undefined;
  const ended = subscribe(connection, {
    topic,
    subscription,
    fields,
    signal: AbortSignal.any([signal, ending.signal]),
    onMessage({ decoded }) {
      if (decoded.kind !== 'transition' && decoded.kind !== 'refresh') return;
      if (decoded.values[test.label] === test.id) arrivals[decoded.status].resolve();
    },
    onState(change) {
      if (change.state === 'ready') {
        listening.resolve();
        lost = undefined;
      } else if (change.state === 'lost') lost = change.error.message;
    },
  });
  ended.catch(listening.reject);
  // It may reject while no caller is waiting.
  listening.promise.catch(() => undefined);
  return {
    verb: 'arrived',
    async ready() {
      const isReady = await within(listening.promise, toConnect(withinMs), signal);
      if (!isReady)
        throw new CliError(`cannot subscribe: ${lost ?? 'Pub/Sub did not respond in time'}`);
    },
    async arrived(status) {
      if (await within(arrivals[status].promise, withinMs, signal)) return;
      const where = lost ?? (await whereQueued(service, 'pubsub'));
      throw new CliError(
        `the ${status} message did not arrive within ${withinMs / 1000} s: ${where}`,
      );
    },
    async end() {
      ending.abort();
      await ended.catch((error: unknown) => {
        if (!(error instanceof SubscribeError)) throw error;
      });
    },
  };
}

const pauseMs = 200;
/** The response rounds times. */
const roundingMs = 100;

/** Waits until no sink has it queued. */
export function sinkDelivery({ service, withinMs, signal }: DeliveryDeps): Delivery {
  return {
    verb: 'sent',
    async ready() {},
    /** Resolves when every queued message is newer than the alert. */
    async arrived(status, acceptedAt) {
      for (;;) {
        // Measured before the request: when the response arrives, the alert is older than this.
        const ageMs = performance.now() - acceptedAt;
        const { sinks } = await service.ask((client) => client.status({ signal }));
        const younger = (seconds: number) => seconds * 1000 < ageMs - roundingMs;
        if (sinks.every(({ depth, oldestSeconds }) => depth === 0 || younger(oldestSeconds)))
          return;
        if (ageMs >= withinMs) break;
        await pause(pauseMs, signal);
      }
      const where = await whereQueued(service, 'any');
      throw new CliError(
        `the ${status} message was not sent within ${withinMs / 1000} s: ${where}`,
      );
    },
    async end() {},
  };
}

/** Where the service reports the alert as queued. */
async function whereQueued(service: AlertToPubsub, kind: 'pubsub' | 'any'): Promise<string> {
  let status: AlertToPubsubStatus;
  try {
    status = await service.ask((client) => client.status());
  } catch (error) {
    const why = errorText(error);
    return `accepted, but the service is not responding: ${why}`;
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
        const what =
          depth > 0
            ? `${location} still has ${count(depth, 'message')} queued for sink ${name}, the oldest for ${duration(oldestSeconds)}`
            : `sink ${name} of ${location} is failing`;
        return `accepted, but ${what}${why && `; ${why}`}`;
      })
      .join('; ');
  }
  const arrived = all.map(({ name, lastSuccess }) =>
    lastSuccess === undefined
      ? `${name} has never accepted a message`
      : `${name} accepted a message ${relative(lastSuccess, Date.now())}`,
  );
  return `nothing is queued on ${location}, and ${arrived.join(', ')}; check that this command and ${location} use the same project and topic`;
}
