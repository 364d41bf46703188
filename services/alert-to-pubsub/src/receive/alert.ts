/** Reads one alert, from an Alertmanager message or a Prometheus list, and decides whether it is valid, and whether it is firing or over. */
import type { Endpoint } from '@skolo/alerts';
import { isObject, measureJson, mostPerByte } from '@skolo/base';
import type { BadAlert, ReceivedAlert } from './batch.ts';
import { readTime } from './time.ts';

/** Of what Prometheus posts. */
const listed = new Set(['labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL']);
/** A start that is further in the future was written before the clock was set back. In milliseconds. */
const aheadMs = 60_000;
/** Prometheus repeats an end for 15 minutes. An end no older than this is current. In milliseconds. */
const currentEndMs = 16 * 60_000;
/** What the sender of an alert chooses, in bytes of memory: many times as much as the longest text that a receiver shows. */
export const mostAlertMemory = 2 ** 20;
const fingerprint = /^[0-9a-f]{16}$/;

/**
 * The alert, or why it is not valid, for people. The objects are not copied: only the request owns them.
 *
 * As in Alertmanager, labels without values are ignored, at least one label must remain, and `startsAt` must not be after `endsAt`. If it
 * is, and the end is current, the clock was set back while the alert fired: the end is accepted and the start is dropped, because rejecting
 * it would leave the alert firing. Alertmanager rejects such an end. A webhook's fingerprint is not kept: it follows from the labels.
 *
 * @param now milliseconds since 1970
 * @param bad gets unknown fields that are too large
 */
export function readAlert(
  found: unknown,
  endpoint: Endpoint,
  now: number,
  bad: BadAlert[] = [],
): ReceivedAlert | string {
  if (!isObject(found)) return `alert: expected an object, found ${shown(found)}`;
  if (found.labels === undefined || found.labels === null) return 'labels: required';
  const labels = readTexts(found.labels, 'labels', { dropEmpty: true });
  if (typeof labels === 'string') return labels;
  if (isEmpty(labels)) return 'labels: at least one label must have a value';
  const tooLarge = whyTooLarge(JSON.stringify(labels), mostAlertMemory);
  if (tooLarge !== undefined) return `labels: the text ${tooLarge}`;
  const annotations = readTexts(found.annotations ?? {}, 'annotations');
  if (typeof annotations === 'string') return annotations;
  const startsAt = readTime(found.startsAt);
  if (typeof startsAt === 'string') return `startsAt: ${shown(found.startsAt)} ${startsAt}`;
  const endsAt = readTime(found.endsAt);
  if (typeof endsAt === 'string') return `endsAt: ${shown(found.endsAt)} ${endsAt}`;
  const isOver = startsAt !== undefined && endsAt !== undefined && startsAt > endsAt;
  if (isOver && startsAt <= now + aheadMs && endsAt < now - currentEndMs) {
    return `startsAt: ${shown(found.startsAt)} is after endsAt, ${shown(found.endsAt)}`;
  }
  const { generatorURL = null } = found;
  if (generatorURL !== null && typeof generatorURL !== 'string') {
    return `generatorURL: expected a string, found ${shown(generatorURL)}`;
  }
  const alert: ReceivedAlert = { labels, annotations };
  if (startsAt !== undefined && !isOver) alert.startsAt = startsAt;
  if (endsAt !== undefined) alert.endsAt = endsAt;
  if (generatorURL) alert.generatorURL = generatorURL;
  if (endpoint === 'webhook' && found.status !== undefined && found.status !== null) {
    const { status } = found;
    if (status !== 'firing' && status !== 'resolved') {
      return `status: expected firing or resolved, found ${shown(status)}`;
    }
    alert.status = status;
  }
  const more = whatElse(
    found,
    (name, value) => listed.has(name) || isOfWebhook(name, value, endpoint),
    (why, fields) => bad.push({ why, found: { labels, ...fields }, entries: 0 }),
  );
  if (more !== undefined) alert.more = more;
  return alert;
}

function isOfWebhook(name: string, value: unknown, endpoint: Endpoint): boolean {
  if (endpoint !== 'webhook') return false;
  if (name === 'status') return true;
  return name === 'fingerprint' && typeof value === 'string' && fingerprint.test(value);
}

/** Memory for the unknown fields of an alert or a group: templates read them as objects, which take up to 25 times as much as their text. */
const mostMore = 64 * 1024;

/** Returns the unknown fields, if any, without those for which there is no room. */
export function whatElse(
  found: Record<string, unknown>,
  isKnown: (name: string, value: unknown) => boolean,
  leaveOut: (why: string, fields: Record<string, unknown>) => void,
): Record<string, unknown> | undefined {
  const kept: [string, unknown][] = [];
  const large: [string, unknown][] = [];
  let memory = 0;
  for (const name in found) {
    const field: [string, unknown] = [name, found[name]];
    if (isKnown(...field)) continue;
    const own = measureJson(Buffer.from(JSON.stringify(field))).memory;
    if (memory + own > mostMore) large.push(field);
    else {
      memory += own;
      kept.push(field);
    }
  }
  const [first] = large;
  if (first !== undefined) {
    const why = `unknown fields left out, because they require more than ${mostMore / 1024} KiB of memory`;
    leaveOut(
      `${why}: ${shown(first[0])}${large.length > 1 ? ' and others' : ''}`,
      Object.fromEntries(large),
    );
  }
  // Not by assignment, which would treat a field named __proto__ differently.
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Names with strings, or what is wrong. */
export function readTexts(
  found: unknown,
  field: string,
  { dropEmpty = false } = {},
): Record<string, string> | string {
  if (!isObject(found))
    return `${field}: expected an object with string values, found ${shown(found)}`;
  let hasEmpty = false;
  for (const name in found) {
    const text = found[name];
    if (typeof text !== 'string') {
      return `${field}: ${shown(name)}: expected a string, found ${shown(text)}`;
    }
    if (name === '') return `${field}: contains an empty name`;
    if (text === '') hasEmpty = true;
  }
  // Each has been looked at.
  const texts = found as Record<string, string>;
  if (!hasEmpty || !dropEmpty) return texts;
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

function isEmpty(object: object): boolean {
  for (const _name in object) return false;
  return true;
}

const mostShown = 60;

/** A value in a sentence for people, shortened if long. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > mostShown ? `${value.slice(0, mostShown)}…` : value);
}

/** Returns why a JSON text cannot be kept, or undefined if it can. */
export function whyTooLarge(text: string, most: number): string | undefined {
  const isSmall = text.length * mostPerByte <= most;
  if (isSmall || measureJson(Buffer.from(text)).value <= most) return undefined;
  return `requires more than ${most / 1024} KiB of memory, because it is long or consists of many small parts`;
}
