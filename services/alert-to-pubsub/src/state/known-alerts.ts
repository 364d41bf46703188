/**
 * Decides whether a received alert is new, a repeat, or over (resolved), and when one expires that is no longer received. Pure: from a
 * known alert and a received one to the resulting alert, and messages.
 *
 * Repeats of a known alert are counted, and sent with the next refresh. Deadlines use the uptime, because the wall clock jumps. An alert
 * expires if it is not received for as long as its sender specified.
 */
import { AlertMessage, type Endpoint, type Group } from '@skolo/alerts';
import { measureJson } from '@skolo/base';
import type { Presence } from '@skolo/common';
import { z } from 'zod';
import type { ReceivedAlert } from '../receive/batch.ts';
import type { NewId } from './ids.ts';

/** An alert as it was last received. */
export const KnownAlert = AlertMessage.pick({
  alert: true,
  group: true,
  endpoint: true,
  first: true,
  last: true,
  count: true,
  expired: true,
  rack: true,
}).extend({
  /** It counts as resolved if it is not received for this long. */
  silentMs: z.number(),
});
export type KnownAlert = z.output<typeof KnownAlert>;

/** What the sender of an alert chooses. */
export type Chosen = Pick<KnownAlert['alert'], 'labels' | 'annotations' | 'generatorURL' | 'more'>;

/** A known alert in memory, with its deadlines. All times in seconds of uptime. */
export interface Tracked {
  known: KnownAlert;
  /** What it takes in memory at most. */
  bytes: number;
  receivedAt: number;
  /** When the last message about it was created. */
  messageAt: number;
}

/** Memory for known alerts: 50,000 of the usual size, a hundred times as many as a rack has. */
export const mostKnownMemory = 112 * 2 ** 20;
/** Memory of an alert besides that of what its sender chooses, in bytes. */
const usualBytes = 450;

/** Returns a known alert that is received, or restored, now. */
export function track(known: KnownAlert, uptime: number): Tracked {
  return {
    known,
    bytes: memoryOf(known.alert, known.group),
    receivedAt: uptime,
    messageAt: uptime,
  };
}

/** Returns what a known alert takes in memory at most, in bytes. */
export function memoryOf(
  { labels, annotations, generatorURL, more }: Chosen,
  group?: Group,
): number {
  const chosen = JSON.stringify([labels, annotations, generatorURL, more, group]);
  return usualBytes + measureJson(Buffer.from(chosen)).value;
}

/** The current time, by both clocks. */
export interface Moment {
  /** Milliseconds since 1970. */
  now: number;
  /** Seconds since boot. */
  uptime: number;
}

/** An alert from a request. */
export interface Update {
  fingerprint: string;
  alert: ReceivedAlert;
  /** What it takes in memory. */
  bytes: number;
  endpoint: Endpoint;
  group?: Group | undefined;
  /** The name of this rack. */
  rack?: string | undefined;
  /** Since when an end would have been received, in milliseconds since 1970; undefined if that is not known. */
  endsKnownSince?: number | undefined;
}

interface StateSettings {
  /** Period of refreshes. */
  refreshSeconds: number;
  /** What Alertmanager does not repeat within this time is resolved. */
  repeatHours: number;
}

interface Change {
  tracked: Tracked;
  messages: AlertMessage[];
}

/** When Alertmanager ends an alert that has no end (`resolve_timeout`). */
const resolveTimeoutMs = 5 * 60_000;
const hourMs = 3_600_000;
/** By then, all alerts that fire were received again after a restart: Prometheus may have begun again to wait for up to ten minutes. */
const receivedAgainMs = 15 * 60_000;
/**
 * How long a resolved alert is remembered: Prometheus repeats a resolution for 15 minutes. If Alertmanager did not report the end, it does
 * not report that the alert fires again before its next repetition, so such an alert is remembered until then.
 */
const rememberSeconds = 20 * 60;
/** RFC 3339 has years of four digits. */
const latest = Date.UTC(9999, 11, 31);

/** What a received alert changes. */
export function update(
  before: Tracked | undefined,
  update: Update,
  moment: Moment,
  settings: StateSettings,
  newId: NewId,
): Change {
  const known = asKnown(before, update, moment, settings);
  const { bytes } = update;
  const tracked = { known, bytes, receivedAt: moment.uptime, messageAt: moment.uptime };
  if (before !== undefined && isOfEarlierFiring(before.known, known, update.alert, moment.now)) {
    return { tracked: before, messages: [] };
  }
  if (before === undefined || before.known.alert.status !== known.alert.status) {
    return { tracked, messages: [message('transition', known, moment, newId)] };
  }
  if (known.alert.status === 'firing' && isAnotherFiring(before.known, update, moment.now)) {
    const missed = resolved(before.known, before.known.last);
    return {
      tracked,
      messages: [missed, known].map((each) => message('transition', each, moment, newId)),
    };
  }
  return { tracked: { ...tracked, messageAt: before.messageAt }, messages: [] };
}

/** What changes only because of the time, in which this service was able to receive it again. Undefined: nothing. */
export function pass(
  tracked: Tracked,
  moment: Moment,
  { repeatHours }: StateSettings,
  newId: NewId,
  ageOf: Presence['ageOf'],
): Change | 'forget' | undefined {
  const { known, receivedAt } = tracked;
  const isSilentFor = (seconds: number) => ageOf(receivedAt, seconds) > seconds;
  if (known.alert.status === 'resolved') {
    const seconds = isInAlertmanager(known) ? repeatHours * 3600 : rememberSeconds;
    return isSilentFor(seconds) ? 'forget' : undefined;
  }
  if (isSilentFor(known.silentMs / 1000)) {
    const ended = resolved(known, timeOf(moment.now));
    return {
      tracked: { ...tracked, known: ended, receivedAt: moment.uptime, messageAt: moment.uptime },
      messages: [message('transition', ended, moment, newId)],
    };
  }
  return undefined;
}

/** Whether Alertmanager's list may show more than its messages: the alert fires, or its end was not reported. */
export function isInAlertmanager({ endpoint, alert, expired }: KnownAlert): boolean {
  return endpoint === 'webhook' && (alert.status === 'firing' || expired === true);
}

/** Subscribers treat an alert as resolved after five minutes without a message. */
const mostRefreshSeconds = 240;

/** Restores an alert from its message, after a restart. It counts as received now, because nothing could be received meanwhile. */
export function restored(
  { alert, group, endpoint, first, last, count, expired, rack }: AlertMessage,
  { uptime }: Moment,
  { repeatHours }: StateSettings,
): Tracked {
  const goodUntil = alert.endsAt === undefined ? undefined : Date.parse(alert.endsAt);
  const silentMs =
    goodUntil === undefined ? repeatHours * hourMs : Math.max(0, goodUntil - Date.parse(last));
  const known: KnownAlert = { alert, endpoint, first, last, count, silentMs };
  if (group !== undefined) known.group = group;
  if (expired !== undefined) known.expired = expired;
  if (rack !== undefined) known.rack = rack;
  return track(known, uptime);
}

/** A message that the alert still fires. Undefined: it does not. */
export function refreshOf(
  tracked: Tracked | undefined,
  moment: Moment,
  newId: NewId,
): AlertMessage | undefined {
  if (tracked?.known.alert.status !== 'firing') return undefined;
  return message('refresh', tracked.known, moment, newId);
}

/**
 * Whether a refresh has become due since the last tick. Each alert has its own moment in the period, which spreads refreshes.
 *
 * @param before uptime at the last tick, in seconds
 */
export function isRefreshDue(
  { known, messageAt }: Tracked,
  before: number,
  { uptime }: Moment,
  { refreshSeconds }: StateSettings,
): boolean {
  if (known.alert.status !== 'firing') return false;
  const share = Number.parseInt(known.alert.fingerprint.slice(-6), 16) / 0x100_0000;
  const turnOf = (at: number) => Math.floor(at / refreshSeconds + share);
  if (turnOf(uptime) <= turnOf(before)) return false;
  // Right after a message no refresh is due; all others would be late by the next time.
  const momentAgo = Math.min(refreshSeconds / 4, mostRefreshSeconds - refreshSeconds);
  return uptime - messageAt >= momentAgo;
}

/**
 * The message that must follow one that is sent late. Undefined: that one has the current state.
 *
 * @param known undefined: the alert does not fire
 */
export function messageOfNow(
  late: AlertMessage,
  known: KnownAlert | undefined,
  moment: Moment,
  newId: NewId,
): AlertMessage | undefined {
  const now = known ?? resolved({ ...late, silentMs: 0 }, late.last);
  if (now.alert.status === late.alert.status) return undefined;
  return message(now.alert.status === 'firing' ? 'refresh' : 'transition', now, moment, newId);
}

function asKnown(
  before: Tracked | undefined,
  update: Update,
  { now }: Moment,
  { repeatHours }: StateSettings,
): KnownAlert {
  const { fingerprint, alert: received, endpoint, group } = update;
  const { generatorURL, more } = received;
  const last = before?.known.alert;
  // Alertmanager reports the end of an alert. Its senders specify until when an alert is valid.
  const endsAt = received.endsAt ?? (endpoint === 'webhook' ? undefined : now + resolveTimeoutMs);
  const status = received.status ?? (endsAt !== undefined && endsAt <= now ? 'resolved' : 'firing');
  const previous = continued(before?.known, status, update, now);
  const alert: KnownAlert['alert'] = {
    fingerprint,
    status,
    labels: kept(last?.labels, received.labels),
    annotations: kept(last?.annotations, received.annotations),
    startsAt: previous?.alert.startsAt ?? timeOf(received.startsAt ?? Math.min(endsAt ?? now, now)),
  };
  if (status === 'resolved') alert.endsAt = endedAt(previous, endsAt ?? now);
  else if (endsAt !== undefined) alert.endsAt = timeOf(endsAt);
  if (generatorURL !== undefined) alert.generatorURL = generatorURL;
  if (more !== undefined) alert.more = more;
  const known: KnownAlert = {
    alert,
    endpoint,
    first: previous?.first ?? timeOf(now),
    last: timeOf(now),
    count: (previous?.count ?? 0) + 1,
    silentMs: status === 'firing' && endsAt !== undefined ? endsAt - now : repeatHours * hourMs,
  };
  if (group !== undefined) known.group = group;
  const { rack } = previous ?? update;
  if (rack !== undefined) known.rack = rack;
  if ((previous?.expired || received.expired) && status === 'resolved') known.expired = true;
  return known;
}

/** The old object if the new one is equal: an old object costs the garbage collector less. */
function kept(
  old: Record<string, string> | undefined,
  found: Record<string, string>,
): Record<string, string> {
  if (old === undefined) return found;
  let more = 0;
  for (const name in found) {
    if (found[name] !== old[name]) return found;
    more += 1;
  }
  for (const _name in old) more -= 1;
  return more === 0 ? old : found;
}

/** The firing that this alert continues. Undefined: a new one begins. */
function continued(
  previous: KnownAlert | undefined,
  status: string,
  update: Update,
  now: number,
): KnownAlert | undefined {
  if (previous === undefined) return undefined;
  // Whatever its start is: an end closes what is open.
  if (status === 'resolved') return previous;
  if (previous.alert.status === 'resolved') return undefined;
  return isAnotherFiring(previous, update, now) ? undefined : previous;
}

/** The first end counts. */
function endedAt(previous: KnownAlert | undefined, endsAt: number): string {
  const first = previous?.alert.status === 'resolved' ? previous.alert.endsAt : undefined;
  return first ?? timeOf(endsAt);
}

/**
 * Its start is later than the known one's end, which was missed; or Prometheus was restarted, which gives each alert that fires a new
 * start: https://github.com/prometheus/prometheus/issues/15175. So if ends were not known all the time, this proves nothing, until all
 * alerts that fired were received again.
 */
function isAnotherFiring(
  known: KnownAlert,
  { alert, endpoint, endsKnownSince = Number.NEGATIVE_INFINITY }: Update,
  now: number,
): boolean {
  const { startsAt = now } = alert;
  return (
    startsLater(known, alert, endpoint, now) &&
    (endsKnownSince <= Date.parse(known.last) || startsAt > endsKnownSince + receivedAgainMs)
  );
}

/**
 * Reports whether the alert starts after the known one was over. Overlapping firings are one, as in Alertmanager: two Prometheus
 * servers see the same at different times. A start in the future proves nothing: a clock is wrong.
 */
export function startsLater(
  { alert, last }: KnownAlert,
  { startsAt }: ReceivedAlert,
  endpoint: Endpoint,
  now: number,
): boolean {
  if (startsAt === undefined || startsAt === Date.parse(alert.startsAt)) return false;
  if (startsAt > now) return false;
  // Alertmanager's message has no end, and replaces that of Prometheus.
  const withoutEnd = Date.parse(last) + (endpoint === 'webhook' ? 0 : resolveTimeoutMs);
  return startsAt > (alert.endsAt === undefined ? withoutEnd : Date.parse(alert.endsAt));
}

/**
 * It ended before the known one started: a repeated request, or another Alertmanager, was late. It would hide an alert that fires. A start
 * in the future proves nothing, as above.
 */
function isOfEarlierFiring(
  before: KnownAlert,
  { alert: { status, endsAt = '' } }: KnownAlert,
  { startsAt }: ReceivedAlert,
  now: number,
): boolean {
  if (before.alert.status !== 'firing' || status !== 'resolved') return false;
  const start = Date.parse(before.alert.startsAt);
  return start <= now && (startsAt ?? start) < start && Date.parse(endsAt) < start;
}

function resolved(known: KnownAlert, endsAt: string): KnownAlert {
  return { ...known, alert: { ...known.alert, status: 'resolved', endsAt }, expired: true };
}

function message(
  kind: AlertMessage['kind'],
  { alert, group, endpoint, first, last, count, expired, rack }: KnownAlert,
  { now }: Moment,
  newId: NewId,
): AlertMessage {
  const about: AlertMessage = {
    kind,
    id: newId(alert.fingerprint, now),
    at: timeOf(now),
    alert,
    endpoint,
    first,
    last,
    count,
  };
  if (group !== undefined) about.group = group;
  if (expired !== undefined) about.expired = expired;
  if (rack !== undefined) about.rack = rack;
  return about;
}

/** Alerts arrive in batches that often share the same times, and formatting one takes a microsecond. */
const written = new Map<number, string>();
const mostWritten = 100;

function timeOf(milliseconds: number): string {
  const known = written.get(milliseconds);
  if (known !== undefined) return known;
  const text = new Date(Math.min(Math.max(milliseconds, 0), latest)).toISOString();
  if (written.size >= mostWritten) written.clear();
  written.set(milliseconds, text);
  return text;
}
