/** Sends alerts over HTTP, one request per message: PagerDuty, chat, ntfy, anything that accepts a POST. */
import { setMaxListeners } from 'node:events';
import { type EncodeAs, encode, withConsoleLink } from '../message/encode.ts';
import type { Message } from '../message/message.ts';
import { alertOfNotice } from '../message/notice.ts';
import { queueKey } from '../message/ordering-key.ts';
import { type Sink, SinkError } from '../sink.ts';
import { askedMs } from './back-off.ts';
import { createHttpRequest, type HttpRequestOptions } from './http-request.ts';

export interface HttpSinkOptions extends HttpRequestOptions {
  encodeAs: EncodeAs;
  /** Messages that the receiver accepts in a minute; undefined: not known. */
  perMinute?: number | undefined;
}

/** Messages of different alerts in parallel. */
const requestsAtOnce = 8;

export function createHttpSink({ encodeAs, perMinute, ...options }: HttpSinkOptions): Sink {
  const { location, rack = location } = encodeAs;
  const request = createHttpRequest(options);
  /** The pause that the receiver last requested, until `performance.now()`. */
  let pause: { until: number; error: SinkError } | undefined;
  const templates = [options.url, options.body, options.resolved?.path].join('');
  /** An earlier version may have opened the incident of heartbeats under the location. */
  let mayBeOpen = rack !== location && templates.includes('fingerprint');
  let wasHealthy = true;
  return {
    name: options.name,
    limits: { orderingKeys: requestsAtOnce, messages: 1, perMinute },
    orderingKeyOf: queueKey,
    groupOf: alertNameOf,
    async send(messages, _key, signal) {
      // All ordering keys may share the signal, which Node would report as a leak.
      setMaxListeners(0, signal);
      for (const message of messages) {
        const values = valuesOf(withConsoleLink(message, encodeAs), location, rack);
        const usualBody = () => encode(message, encodeAs).json;
        // By then, a heartbeat would be outdated.
        if (message.kind === 'heartbeat' && pause !== undefined && performance.now() < pause.until)
          throw pause.error;
        try {
          await request({ id: message.id, values, usualBody }, signal);
          if (message.kind !== 'heartbeat') continue;
          if (mayBeOpen && message.healthy && wasHealthy) {
            const old = { id: `${message.id}-${location}`, values: valuesOf(message, location) };
            const resolving = request({ ...old, usualBody }, signal);
            mayBeOpen = await resolving.then(
              () => false,
              () => true,
            );
          }
          wasHealthy = message.healthy;
        } catch (error) {
          if (error instanceof SinkError && error.reason === 'quota')
            pause = { until: performance.now() + askedMs(error), error };
          throw error;
        }
      }
    },
    async close() {},
  };
}

function alertNameOf(message: Message): string {
  if (message.kind === 'heartbeat') return '';
  const { labels } = message.kind === 'notice' ? alertOfNotice(message) : message.alert;
  return labels.alertname ?? '';
}

/**
 * The values of a message. All messages have `labels`, `annotations`, `status`, `location`, `id`, `at`, `kind`, `fingerprint` (the same for
 * all messages about one alert) and `action`, in PagerDuty's terms.
 */
export function valuesOf(
  message: Message,
  location: string,
  rack = location,
): Record<string, unknown> {
  switch (message.kind) {
    case 'heartbeat': {
      const summary = message.healthy ? `${location} is healthy` : message.why;
      return {
        ...message,
        location,
        rack,
        status: message.healthy ? 'healthy' : 'unhealthy',
        action: message.healthy ? 'resolve' : 'trigger',
        fingerprint: `heartbeat-${rack}`,
        labels: { alertname: 'HEALTHZ', severity: message.healthy ? 'info' : 'critical' },
        annotations: { summary },
      };
    }
    case 'notice':
      return {
        ...message,
        location,
        status: 'firing',
        action: 'trigger',
        fingerprint: message.id,
        ...alertOfNotice(message),
      };
    default: {
      const { alert, ...rest } = message;
      const action = alert.status === 'resolved' ? 'resolve' : 'trigger';
      return { ...rest, ...alert, location, action };
    }
  }
}
