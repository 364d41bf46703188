/**
 * Encodes a message: JSON, and the attributes that Pub/Sub filters by.
 *
 * `flat` is the existing system's format, field by field: one object whose values are all strings, as its readers expect.
 */
import { Buffer } from 'node:buffer';
import { pageOf } from '../delivery/subject.ts';
import type { Alert, Message } from './message.ts';
import { alertOfNotice } from './notice.ts';

export interface EncodeAs {
  format: 'flat' | 'full';
  /** Names of the fields that `flat` adds to the labels. */
  fields: FieldNames;
  /** Where the alerts come from. */
  location: string;
  /** Name of the rack; default: its location, which several racks may share. */
  rack?: string;
  /** Of the rack's console, for a link in each alert. */
  consoleUrl?: string | undefined;
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

/** Version of the attributes and of `full`. Changes only if a reader of the previous version would misunderstand the new one. */
export const schemaVersion = '1';

/** Replaces `alertname`, as in the existing system, which used the name that Prometheus reserves for the metric. */
export const heartbeatName = 'HEALTHZ';

/** Pub/Sub's limit: https://cloud.google.com/pubsub/quotas#resource_limits */
const maxValueBytes = 1024;

export function encode(message: Message, as: EncodeAs): Encoded {
  const linked = withConsoleLink(message, as);
  const body = as.format === 'flat' ? flat(linked, as) : full(linked, as);
  return { json: JSON.stringify(body), attributes: attributesOf(message, as.location) };
}

/** An alert with the annotation `console`, a link that opens its machine, card or incident. One of the alert's own is kept. */
export function withConsoleLink<M extends Message>(message: M, { consoleUrl }: EncodeAs): M {
  if (consoleUrl === undefined || !('alert' in message)) return message;
  const { annotations } = message.alert;
  const link = `${consoleUrl}/#/${pageOf(message.alert)}`;
  const alert = { ...message.alert, annotations: { console: link, ...annotations } };
  return { ...message, alert };
}

/** Later entries win. Not by assignment: a label may be called `__proto__`. */
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
  // Dead-man switches recognise a heartbeat in the same way in every format.
  const heartbeat =
    message.kind === 'heartbeat' ? { __name__: heartbeatName, [fields.location]: location } : {};
  return { schema: schemaVersion, location, ...message, ...heartbeat };
}

/** Never empty; only fixed names, so that no label can be mistaken for one. */
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

/** Truncates to this many bytes of UTF-8 without splitting a character, and replaces unpaired surrogates, which protobuf rejects. */
export function cutText(text: string, maxBytes: number): string {
  // The common case: a UTF-16 unit takes up to three bytes, and four-byte characters are two units.
  if (text.length * 3 <= maxBytes && text.isWellFormed()) return text;
  const bytes = Buffer.alloc(maxBytes);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return bytes.toString('utf8', 0, written);
}
