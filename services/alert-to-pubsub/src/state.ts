/**
 * The alerts that are known, and what is told of them. Pure: an alert and a word of it in, the alert as it is now and
 * messages out.
 *
 * A repeat of what is known is counted, and told with the next refresh. Deadlines are by uptime, since the wall clock
 * jumps: an alert expires when nothing was heard of it for as long as its sender said, whatever the time is meanwhile.
 */
import { AlertMessage, type Door, type Group } from '@skolo/alerts';
import { z } from 'zod';
import type { NewId } from './ids.ts';
import type { HeardAlert } from './receive/heard.ts';

/** An alert as it was last told of. */
export const KnownAlert = AlertMessage.pick({
  alert: true,
  group: true,
  door: true,
  first: true,
  last: true,
  count: true,
  expired: true,
}).extend({
  /** How long it may go unheard of until it counts as resolved, from when it was last heard of. */
  silentMs: z.number(),
});
export type KnownAlert = z.output<typeof KnownAlert>;

/** A known alert in memory, with its deadlines. All of them in seconds of uptime. */
export interface Tracked {
  known: KnownAlert;
  heardAt: number;
  /** When a message about it was last made. */
  toldAt: number;
}

/** Now, by both clocks. */
export interface Moment {
  /** Milliseconds since 1970. */
  now: number;
  /** Seconds since boot. */
  uptime: number;
}

export interface Word {
  fingerprint: string;
  alert: HeardAlert;
  door: Door;
  group?: Group | undefined;
}

export interface StateSettings {
  /** An alert that goes on is told again after this long. */
  refreshSeconds: number;
  /** What Alertmanager does not repeat within this time is resolved. */
  repeatHours: number;
}

export interface Change {
  tracked: Tracked;
  messages: AlertMessage[];
}

/** What an Alertmanager takes for the end of an alert that comes without one (`resolve_timeout`). */
const resolveTimeoutMs = 5 * 60_000;
const hourMs = 3_600_000;
/** A resolved alert is remembered for this long: Prometheus repeats for 15 minutes that it is resolved. */
const rememberSeconds = 20 * 60;
/** What never says for how long it is good: RFC 3339 has years of four digits. */
const latest = Date.UTC(9999, 11, 31);

/** What one word changes. */
export function hear(
  before: Tracked | undefined,
  word: Word,
  moment: Moment,
  settings: StateSettings,
  newId: NewId,
): Change {
  const heard = asKnown(before, word, moment, settings);
  const tracked = { known: heard, heardAt: moment.uptime, toldAt: moment.uptime };
  if (before === undefined || before.known.alert.status !== heard.alert.status) {
    return { tracked, messages: [message('transition', heard, moment, newId)] };
  }
  if (heard.alert.status === 'firing' && isAnotherFiring(before.known, word.alert, moment.now)) {
    const missed = resolved(before.known, before.known.last);
    return {
      tracked,
      messages: [missed, heard].map((known) => message('transition', known, moment, newId)),
    };
  }
  return { tracked: { ...tracked, toldAt: before.toldAt }, messages: [] };
}

/** What time alone changes. Undefined: nothing. `forget`: it need not be known any longer. */
export function pass(
  tracked: Tracked,
  moment: Moment,
  newId: NewId,
): Change | 'forget' | undefined {
  const { known, heardAt } = tracked;
  const silentSeconds = moment.uptime - heardAt;
  if (known.alert.status === 'resolved') {
    return silentSeconds > rememberSeconds ? 'forget' : undefined;
  }
  if (silentSeconds * 1000 > known.silentMs) {
    const ended = resolved(known, timeOf(moment.now));
    return {
      tracked: { known: ended, heardAt: moment.uptime, toldAt: moment.uptime },
      messages: [message('transition', ended, moment, newId)],
    };
  }
  return undefined;
}

/** Subscribers take an alert that they have not heard of for five minutes for resolved. */
const mostRefreshSeconds = 240;

/** What a message leaves behind, after a restart: it was heard of just now, since nothing was heard meanwhile. */
export function restored(
  { alert, group, door, first, last, count, expired }: AlertMessage,
  { uptime }: Moment,
  { repeatHours }: StateSettings,
): Tracked {
  const goodUntil = alert.endsAt === undefined ? undefined : Date.parse(alert.endsAt);
  const silentMs =
    goodUntil === undefined ? repeatHours * hourMs : Math.max(0, goodUntil - Date.parse(last));
  const known: KnownAlert = { alert, door, first, last, count, silentMs };
  if (group !== undefined) known.group = group;
  if (expired !== undefined) known.expired = expired;
  return { known, heardAt: uptime, toldAt: uptime };
}

/** Says that the alert still fires. Undefined: it does not. */
export function refreshOf(
  tracked: Tracked | undefined,
  moment: Moment,
  newId: NewId,
): AlertMessage | undefined {
  if (tracked?.known.alert.status !== 'firing') return undefined;
  return message('refresh', tracked.known, moment, newId);
}

/**
 * Whether the time of this alert's refresh lies between two looks. Each has its own moment in the period, so that not all
 * are told at once.
 *
 * @param before uptime at the look before, in seconds
 */
export function isRefreshDue(
  { known, toldAt }: Tracked,
  before: number,
  { uptime }: Moment,
  { refreshSeconds }: StateSettings,
): boolean {
  if (known.alert.status !== 'firing') return false;
  const share = Number.parseInt(known.alert.fingerprint.slice(-6), 16) / 0x100_0000;
  const turnOf = (at: number) => Math.floor(at / refreshSeconds + share);
  if (turnOf(uptime) <= turnOf(before)) return false;
  // What was told a moment ago waits for the next time; the rest would be late by then.
  const momentAgo = Math.min(refreshSeconds / 4, mostRefreshSeconds - refreshSeconds);
  return uptime - toldAt >= momentAgo;
}

/**
 * What follows a message that comes late, so that nobody takes it for the state of now. Undefined: it is that.
 *
 * @param known undefined: nothing is known of the alert, so it does not fire
 */
export function wordOfNow(
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
  { fingerprint, alert: heard, door, group }: Word,
  { now }: Moment,
  { repeatHours }: StateSettings,
): KnownAlert {
  const { generatorURL, more } = heard;
  const last = before?.known.alert;
  // Alertmanager says itself when an alert is over; whoever posts to it says for how long the alert is good.
  const endsAt = heard.endsAt ?? (door === 'webhook' ? undefined : now + resolveTimeoutMs);
  const status = heard.status ?? (endsAt !== undefined && endsAt <= now ? 'resolved' : 'firing');
  const former = continued(before?.known, status, heard, now);
  const alert: KnownAlert['alert'] = {
    fingerprint,
    status,
    labels: kept(last?.labels, heard.labels),
    annotations: kept(last?.annotations, heard.annotations),
    startsAt: former?.alert.startsAt ?? timeOf(heard.startsAt ?? Math.min(endsAt ?? now, now)),
  };
  if (status === 'resolved') alert.endsAt = endedAt(former, endsAt ?? now);
  else if (endsAt !== undefined) alert.endsAt = timeOf(endsAt);
  if (generatorURL !== undefined) alert.generatorURL = generatorURL;
  if (more !== undefined) alert.more = more;
  const known: KnownAlert = {
    alert,
    door,
    first: former?.first ?? timeOf(now),
    last: timeOf(now),
    count: (former?.count ?? 0) + 1,
    silentMs: status === 'firing' && endsAt !== undefined ? endsAt - now : repeatHours * hourMs,
  };
  if (group !== undefined) known.group = group;
  if (former?.expired && status === 'resolved') known.expired = true;
  return known;
}

/** The old object where the new one says the same: an old object costs the garbage collector less than a new one. */
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

/** The firing that this is another word of; undefined: the first word of it. */
function continued(
  former: KnownAlert | undefined,
  status: string,
  heard: HeardAlert,
  now: number,
): KnownAlert | undefined {
  if (former === undefined) return undefined;
  if (former.alert.status === 'resolved') return status === 'resolved' ? former : undefined;
  return isAnotherFiring(former, heard, now) ? undefined : former;
}

/** It ends when it was first said to. */
function endedAt(former: KnownAlert | undefined, endsAt: number): string {
  const said = former?.alert.status === 'resolved' ? former.alert.endsAt : undefined;
  return said ?? timeOf(endsAt);
}

/**
 * It has started when the one that is known was over, by its last word: that one's end was missed. What overlaps is one, as
 * in Alertmanager: two Prometheis see the same at different times. Nor does a sender whose clock is ahead make two of one,
 * or a clock that is set back: what has started in times to come says nothing.
 */
function isAnotherFiring(
  { alert, last }: KnownAlert,
  { startsAt }: HeardAlert,
  now: number,
): boolean {
  if (startsAt === undefined || startsAt === Date.parse(alert.startsAt)) return false;
  if (startsAt > now) return false;
  return startsAt > Date.parse(alert.endsAt ?? last);
}

function resolved(known: KnownAlert, endsAt: string): KnownAlert {
  return { ...known, alert: { ...known.alert, status: 'resolved', endsAt }, expired: true };
}

function message(
  kind: AlertMessage['kind'],
  { alert, group, door, first, last, count, expired }: KnownAlert,
  { now }: Moment,
  newId: NewId,
): AlertMessage {
  const about: AlertMessage = {
    kind,
    id: newId(alert.fingerprint, now),
    at: timeOf(now),
    alert,
    door,
    first,
    last,
    count,
  };
  if (group !== undefined) about.group = group;
  if (expired !== undefined) about.expired = expired;
  return about;
}

/** Alerts come in batches, and many of a batch have the same times: writing one out costs a microsecond. */
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
