/** Messages: alert changes, notices about the delivery, and heartbeats. */
import { isObject } from '@skolo/base';
import { z } from 'zod';

const Time = z.iso.datetime();
/** Not `z.record`, which loses the name `__proto__`: a label may have any name. `meta` has the JSON Schema. */
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
  /** 16 hex digits, computed from the labels as Alertmanager does: the alert's identity. */
  fingerprint: z.string(),
  status: z.enum(['firing', 'resolved']),
  labels: Texts,
  annotations: Texts,
  startsAt: Time,
  /** When it was resolved; while it fires, when it expires unless repeated. */
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
  /** The same for each attempt to send the message, so that subscribers can drop duplicates. 32 hex digits. */
  id: z.string(),
  /** When the alert was accepted, or when the refresh was due. */
  at: Time,
  alert: Alert,
  group: Group.optional(),
  endpoint: Endpoint,
  /** When this firing was first and last received, and how often. */
  first: Time,
  last: Time,
  count: z.int(),
  /** Resolved although the sender did not report it: the alert was not repeated in time, or is no longer listed. */
  expired: z.literal(true).optional(),
  /**
   * The rack in which this firing began. Receivers get it in the key of the alert, which must not change until that is resolved. Earlier
   * versions wrote none: then, the location is in the key.
   */
  rack: z.string().optional(),
  /** Only for this sink: a test, or a dead letter, whose alert may have changed since. */
  sink: z.string().optional(),
});
export type AlertMessage = z.output<typeof AlertMessage>;

/**
 * Information for subscribers about the delivery.
 *
 * - `gap`: nothing could be delivered for a while; the queued messages arrived before this notice.
 * - `truncated`: Alertmanager left out alerts (`max_alerts`), or alert-to-pubsub did, because one machine had too many.
 * - `dead-letters`: invalid alerts, or rejected messages, are kept.
 * - `damaged`: the spool was damaged, and some messages may be lost. `dropped`: a sink was down for too long and lost some.
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

/** Reports whether delivery works. Never in the spool. */
export const HeartbeatMessage = z.object({
  kind: z.literal('heartbeat'),
  id: z.string(),
  at: Time,
  version: z.string(),
  /** Prometheus and Alertmanager send alerts, and they can be accepted. */
  healthy: z.boolean(),
  /** Why not, for people. */
  why: z.string().optional(),
  /** When an alert other than a test was last received. */
  lastHeard: Time.optional(),
  /** Messages that are queued for this sink. */
  spoolDepth: z.int(),
  spoolOldestSeconds: z.number(),
  startedAt: Time,
});
export type HeartbeatMessage = z.output<typeof HeartbeatMessage>;

/** What the spool holds. */
export const SpooledMessage = z.discriminatedUnion('kind', [AlertMessage, NoticeMessage]);
export type SpooledMessage = z.output<typeof SpooledMessage>;

export type Message = SpooledMessage | HeartbeatMessage;

/** The label that marks an alert as a test, with any value. A test alert does not prove that Prometheus works. */
export const testLabel = 'skolo_test';

export function isTest(labels: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(labels, testLabel);
}
