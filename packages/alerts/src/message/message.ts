/** Messages: changes of alerts, notices about the delivery, heartbeats. */
import { isObject } from '@skolo/base';
import { z } from 'zod';

const Time = z.iso.datetime();
/** Not `z.record`, which loses the name `__proto__`: a label may have any name. Their JSON Schema is in `meta`. */
const Texts = z
  .custom<Record<string, string>>(
    (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
    'expected an object with string values',
  )
  .meta({ type: 'object', additionalProperties: { type: 'string' } });
const Anything = z
  .custom<Record<string, unknown>>(isObject, 'expected an object')
  .meta({ type: 'object' });

/** The endpoint that received an alert. */
export const Endpoint = z.enum(['webhook', 'v1', 'v2']);
export type Endpoint = z.output<typeof Endpoint>;

/** An alert, with the field names of Alertmanager. */
export const Alert = z.object({
  /** 16 hex digits over the labels, as Alertmanager computes it: the identity. */
  fingerprint: z.string(),
  status: z.enum(['firing', 'resolved']),
  labels: Texts,
  annotations: Texts,
  startsAt: Time,
  /** When it was resolved; while it fires, when it expires unless it is repeated. */
  endsAt: Time.optional(),
  generatorURL: z.string().optional(),
  /** Unknown fields. */
  more: Anything.optional(),
});
export type Alert = z.output<typeof Alert>;

/** The other fields of Alertmanager's webhook message. */
export const Group = z.object({
  key: z.string().optional(),
  receiver: z.string().optional(),
  labels: Texts.optional(),
  commonLabels: Texts.optional(),
  commonAnnotations: Texts.optional(),
  externalURL: z.string().optional(),
  more: Anything.optional(),
});
export type Group = z.output<typeof Group>;

/** An alert fires, is resolved, or still fires. */
export const AlertMessage = z.object({
  kind: z.enum(['transition', 'refresh']),
  /** The same for each attempt to send it: subscribers drop what they have seen. 32 hex digits. */
  id: z.string(),
  /** When it was accepted, or when the refresh was due. */
  at: Time,
  alert: Alert,
  group: Group.optional(),
  endpoint: Endpoint,
  /** When this firing was first and last received, and how often. */
  first: Time,
  last: Time,
  count: z.int(),
  /** It is resolved because it was not repeated in time. */
  expired: z.literal(true).optional(),
  /** Only for this sink: it was a dead letter. The alert may have changed since. */
  sink: z.string().optional(),
});
export type AlertMessage = z.output<typeof AlertMessage>;

/**
 * What subscribers have to know about the delivery.
 *
 * - `gap`: nothing could be delivered for a while; what waited has arrived before this.
 * - `truncated`: Alertmanager left alerts out (`max_alerts`), or alert-to-pubsub did, because one machine had too many.
 * - `dead-letters`: invalid alerts, or rejected messages, are kept.
 * - `damaged`: the spool was, and some messages may be lost. `dropped`: a sink that was down for too long lost some.
 */
export const Notice = z.enum(['gap', 'truncated', 'dead-letters', 'damaged', 'dropped']);
export type Notice = z.output<typeof Notice>;

export const NoticeMessage = z.object({
  kind: z.literal('notice'),
  id: z.string(),
  at: Time,
  notice: Notice,
  /** For people. */
  text: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Only for this sink. */
  sink: z.string().optional(),
});
export type NoticeMessage = z.output<typeof NoticeMessage>;

/** Reports whether the delivery works. Never in the spool. */
export const HeartbeatMessage = z.object({
  kind: z.literal('heartbeat'),
  id: z.string(),
  at: Time,
  version: z.string(),
  /** Prometheus and Alertmanager send, and alerts can be accepted. */
  healthy: z.boolean(),
  /** Why not, for people. */
  why: z.string().optional(),
  /** When any alert but a test was last received. */
  lastHeard: Time.optional(),
  /** What waits for this sink. */
  spoolDepth: z.int(),
  spoolOldestSeconds: z.number(),
  startedAt: Time,
});
export type HeartbeatMessage = z.output<typeof HeartbeatMessage>;

/** What the spool holds. */
export const SpooledMessage = z.discriminatedUnion('kind', [AlertMessage, NoticeMessage]);
export type SpooledMessage = z.output<typeof SpooledMessage>;

export type Message = SpooledMessage | HeartbeatMessage;

/** The label that makes an alert a test, with any value; it does not prove that Prometheus works. */
export const testLabel = 'skolo_test';

export function isTest(labels: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(labels, testLabel);
}
