/**
 * Decodes received messages: ours in both formats, and those of the existing system, which had no attributes. Missing fields are undefined,
 * and unknown ones are ignored.
 */
import { Buffer } from 'node:buffer';
import { isObject, parseJson } from '@skolo/base';
import { type FieldNames, heartbeatName } from './encode.ts';
import { Notice } from './message.ts';
import { labelsOf } from './notice.ts';

interface Common {
  location: string | undefined;
  /** The same for each attempt to send the message. */
  id: string | undefined;
  /** When the alert was accepted; for a heartbeat, when it was created. */
  at: string | undefined;
}

export interface DecodedAlert extends Common {
  /** A notice concerns the delivery, and looks like an alert. */
  kind: 'transition' | 'refresh' | 'notice';
  status: 'firing' | 'resolved';
  name: string | undefined;
  severity: string | undefined;
  fingerprint: string | undefined;
  startsAt: string | undefined;
  /** Of the graph. */
  link: string | undefined;
  /** Resolved because the alert was not repeated in time. */
  expired: boolean;
  /** Labels and annotations; an annotation overrides a label of the same name. */
  values: Record<string, string>;
}

export interface DecodedHeartbeat extends Common {
  kind: 'heartbeat';
  /** Messages of the existing system have no such field: true. */
  healthy: boolean;
  why: string | undefined;
  version: string | undefined;
  lastHeard: string | undefined;
  startedAt: string | undefined;
  spoolDepth: number | undefined;
  spoolOldestSeconds: number | undefined;
}

interface NotDecoded {
  kind: 'unknown';
  /** For people. */
  why: string;
}

export type Decoded = DecodedAlert | DecodedHeartbeat | NotDecoded;

type Attributes = Readonly<Record<string, string>>;
type Json = Record<string, unknown>;

const defaultFields: FieldNames = {
  state: '__state__',
  link: 'link_to_source',
  location: 'location',
};
const originalLocation = 'skia_location';

/**
 * @param attributes none in messages of the existing system
 * @param fields the names that the sender is configured to use
 */
export function decode(
  data: Uint8Array | string,
  attributes: Attributes = {},
  fields: FieldNames = defaultFields,
): Decoded {
  const body = parseJson(Buffer.from(data).toString());
  if (!isObject(body)) return { kind: 'unknown', why: 'the data is not a JSON object' };
  if (isHeartbeat(body, attributes)) return heartbeat(body, attributes, fields);
  // In `flat`, no value is an object.
  if (isObject(body.alert)) return fullAlert(body, body.alert, attributes);
  if (isObject(body.facts)) return fullNotice(body, body.facts, attributes);
  return flatAlert(body, attributes, fields);
}

function isHeartbeat(body: Json, { kind }: Attributes): boolean {
  if (kind !== undefined) return kind === 'heartbeat';
  return body.__name__ === heartbeatName && body.alertname === undefined;
}

function heartbeat(body: Json, attributes: Attributes, fields: FieldNames): DecodedHeartbeat {
  return {
    kind: 'heartbeat',
    healthy: String(body.healthy ?? true) !== 'false',
    location: first(attributes.location, body[fields.location], body[originalLocation]),
    id: first(attributes.id, body.id),
    at: first(attributes.at, body.at),
    why: first(body.why),
    version: first(body.version),
    lastHeard: first(body.lastHeard),
    startedAt: first(body.startedAt),
    spoolDepth: numberOf(body.spoolDepth),
    spoolOldestSeconds: numberOf(body.spoolOldestSeconds),
  };
}

function fullAlert(body: Json, alert: Json, attributes: Attributes): DecodedAlert {
  const values = textsOf(alert.labels, alert.annotations);
  return {
    kind: kindOf(body.kind),
    status: alert.status === 'resolved' ? 'resolved' : 'firing',
    expired: body.expired === true,
    values,
    name: first(isObject(alert.labels) ? alert.labels.alertname : undefined),
    severity: first(isObject(alert.labels) ? alert.labels.severity : undefined),
    fingerprint: first(alert.fingerprint),
    startsAt: first(alert.startsAt),
    link: first(alert.generatorURL),
    location: first(body.location, attributes.location),
    id: first(body.id, attributes.id),
    at: first(body.at, attributes.at),
  };
}

function fullNotice(body: Json, facts: Json, attributes: Attributes): DecodedAlert {
  const text = first(body.text) ?? '';
  const labels = labelsOfNotice(body.notice);
  return {
    kind: 'notice',
    status: 'firing',
    expired: false,
    values: textsOf(labels, facts, { summary: text, description: text }),
    name: first(labels?.alertname, attributes.alertname),
    severity: first(labels?.severity, attributes.severity),
    fingerprint: undefined,
    startsAt: undefined,
    link: undefined,
    location: first(body.location, attributes.location),
    id: first(body.id, attributes.id),
    at: first(body.at, attributes.at),
  };
}

function flatAlert(body: Json, attributes: Attributes, fields: FieldNames): DecodedAlert {
  const location = Object.hasOwn(body, fields.location) ? fields.location : originalLocation;
  const added = [fields.state, fields.link, location];
  const values = Object.entries(textsOf(body)).filter(([name]) => !added.includes(name));
  return {
    kind: kindOf(attributes.kind),
    status: (attributes.status ?? body[fields.state]) === 'resolved' ? 'resolved' : 'firing',
    expired: attributes.expired === 'true',
    values: Object.fromEntries(values),
    name: first(attributes.alertname, body.alertname),
    severity: first(attributes.severity, body.severity),
    link: first(body[fields.link]),
    location: first(attributes.location, body[location]),
    fingerprint: first(attributes.fingerprint),
    startsAt: first(attributes.startsAt),
    id: first(attributes.id),
    at: first(attributes.at),
  };
}

function kindOf(kind: unknown): DecodedAlert['kind'] {
  return kind === 'refresh' || kind === 'notice' ? kind : 'transition';
}

/** Later entries win. Not by assignment: a label may be called `__proto__`. */
function textsOf(...objects: unknown[]): Record<string, string> {
  const entries = objects.filter(isObject).flatMap((object) => Object.entries(object));
  const texts = entries.filter(([, value]) => typeof value !== 'object' || value === null);
  return Object.fromEntries(texts.map(([name, value]) => [name, String(value)]));
}

function first(...values: unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string' && value !== '')?.toString();
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Later versions may have additional values. */
function labelsOfNotice(notice: unknown): { alertname: string; severity: string } | undefined {
  const known = Notice.safeParse(notice);
  return known.success ? labelsOf(known.data) : undefined;
}
