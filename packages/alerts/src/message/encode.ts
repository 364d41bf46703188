/**
 * Encodes a message: JSON, and the attributes that Pub/Sub filters by.
 *
 * `flat` is the original's, field for field: one object whose values are all strings, since its readers decode them so.
 */
import { Buffer } from 'node:buffer';
import type { Alert, Message } from './message.ts';
import { alertOfNotice } from './notice.ts';

export interface EncodeAs {
  format: 'flat' | 'full';
  /** Names of what `flat` adds to the labels. */
  fields: FieldNames;
  /** Where alerts come from. */
  location: string;
}

export interface FieldNames {
  state: string;
  link: string;
  location: string;
}

interface Encoded {
  json: string;
  attributes: Record<string, string>;
}

/** Of the attributes and of `full`. It changes when a reader of the one before would misunderstand. */
export const schemaVersion = '1';

/** In place of `alertname`: as the original's, which put it where Prometheus has the name of a metric. */
export const heartbeatName = 'HEALTHZ';

/** The limit of Pub/Sub: https://cloud.google.com/pubsub/quotas#resource_limits */
const maxValueBytes = 1024;

export function encode(message: Message, as: EncodeAs): Encoded {
  const body = as.format === 'flat' ? flat(message, as) : full(message, as);
  return { json: JSON.stringify(body), attributes: attributesOf(message, as.location) };
}

/** Later ones win. Not by assignment: a label may be called `__proto__`. */
function flat(message: Message, { fields, location }: EncodeAs): Record<string, string> {
  if (message.kind === 'heartbeat') {
    const { kind: _, ...facts } = message;
    const texts = Object.entries(facts).map(([name, fact]) => [name, String(fact)]);
    return {
      ...Object.fromEntries(texts),
      __name__: heartbeatName,
      [fields.location]: location,
    };
  }
  const alert: Pick<Alert, 'labels' | 'annotations' | 'generatorURL'> =
    message.kind === 'notice' ? alertOfNotice(message) : message.alert;
  const isResolved = message.kind !== 'notice' && message.alert.status === 'resolved';
  return {
    ...alert.labels,
    ...alert.annotations,
    [fields.state]: isResolved ? 'resolved' : 'active',
    [fields.link]: alert.generatorURL ?? '',
    [fields.location]: location,
  };
}

function full(message: Message, { fields, location }: EncodeAs): Record<string, unknown> {
  // A dead-man switch has one way to recognise a heartbeat, whatever the format.
  const heartbeat =
    message.kind === 'heartbeat' ? { __name__: heartbeatName, [fields.location]: location } : {};
  return { schema: schemaVersion, location, ...message, ...heartbeat };
}

/** None empty; names of ours only, so that no label can be taken for one. */
function attributesOf(message: Message, location: string): Record<string, string> {
  const attributes = namesOf(message);
  attributes.location = location;
  attributes.id = message.id;
  attributes.at = message.at;
  const kept: Record<string, string> = { schema: schemaVersion, kind: message.kind };
  for (const name in attributes) {
    const value = attributes[name];
    if (value) kept[name] = cutText(value, maxValueBytes);
  }
  return kept;
}

function namesOf(message: Message): Record<string, string | undefined> {
  switch (message.kind) {
    case 'heartbeat':
      return { alertname: heartbeatName, status: message.healthy ? 'healthy' : 'unhealthy' };
    case 'notice': {
      const { alertname, severity } = alertOfNotice(message).labels;
      return { alertname, severity, status: 'firing' };
    }
    default: {
      const { labels, status, fingerprint, startsAt } = message.alert;
      return {
        alertname: labels.alertname,
        severity: labels.severity,
        status,
        fingerprint,
        startsAt,
        ...(message.expired && { expired: 'true' }),
      };
    }
  }
}

/** As UTF-8 of at most so many bytes, no character cut in two, and half a surrogate pair replaced: protobuf takes no other. */
export function cutText(text: string, maxBytes: number): string {
  // By far the most are; a character takes up to three bytes, and those of four are two surrogates.
  if (text.length * 3 <= maxBytes && text.isWellFormed()) return text;
  const bytes = Buffer.alloc(maxBytes);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return bytes.toString('utf8', 0, written);
}
