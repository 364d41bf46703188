/** Turns the history into events of the timeline, and counts how many machines were unhealthy. Pure. */
import type { Cause, HistoryEntry, Machine, Timeline } from '@skolo/api';
import { beganAt } from '@skolo/api/silence';
import { isObject, isoTime, parseJson } from '@skolo/base';
import { foldNames } from '@skolo/rack';
import type { Entry } from '../history/entry.ts';
import type { Happenings } from '../history/history.ts';
import { beatSeconds } from '../history/uptimes.ts';
import { codesOf, unhealthyAs } from '../join/condition.ts';
import { alertEvent } from './from-services.ts';
import type { TimelineEvent } from './merge.ts';

interface Span {
  from: number;
  to: number;
}

interface Health {
  as: ReturnType<typeof unhealthyAs>;
  at: number;
  text: string;
  cause: Cause | undefined;
  codes: readonly string[];
}

const machineState = 'machine-state';
/** Shorter gaps are restarts. */
const leastDownMs = 10_000;
/** After its restart, this service knows the others' state. */
const settledMs = 90_000;
const mostPoints = 1000;

/**
 * Changes of machines' health: their events, the curve, and what has become worse and better.
 *
 * @param machines their current state: those that have not changed since the beginning
 */
export function healthOf(
  { entries, before }: Pick<Happenings, 'entries' | 'before'>,
  machines: readonly Machine[],
  { from, to }: Span,
): Pick<Timeline, 'unhealthy' | 'worse' | 'better' | 'waiting'> & { events: TimelineEvent[] } {
  const now = new Map<string, Health>();
  for (const machine of machines) {
    const { name, condition, since = isoTime(from), sentence: text, cause } = machine;
    if (Date.parse(since) > from) continue;
    const at = Date.parse(beganAt(machine) ?? since);
    const codes = codesOf(machine);
    now.set(name, { as: unhealthyAs(condition, codes), at, text, cause, codes });
  }
  for (const entry of before) now.set(entry.machine, healthIn(entry));
  const begin = new Map(now);
  const points = new Map([[Math.floor(from / 1000), countIn(now)]]);
  const pointMs = Math.max(1000, (to - from) / mostPoints);
  const events: TimelineEvent[] = [];
  const lastEvents = new Map<string, TimelineEvent>();
  for (const entry of entries.toReversed()) {
    if (entry.kind !== 'condition') continue;
    const previous = now.get(entry.machine);
    const health = healthIn(entry);
    if (previous?.as === health.as) {
      explain(lastEvents.get(entry.machine), entry);
      continue;
    }
    now.set(entry.machine, health);
    points.set(Math.floor((Math.floor(entry.at / pointMs) * pointMs) / 1000), countIn(now));
    if (previous?.as !== undefined) {
      // One that began earlier is shown because it ended.
      const event = lastEvents.get(entry.machine) ?? eventOf(entry.machine, previous);
      if (!lastEvents.has(entry.machine)) events.push(event);
      const state = previous.as === 'silent' ? 'back' : 'ended';
      Object.assign(event, { endedAt: Math.max(event.at, entry.at), state });
      lastEvents.delete(entry.machine);
    }
    if (health.as !== undefined) {
      const event = eventOf(entry.machine, health);
      events.push(event);
      lastEvents.set(entry.machine, event);
    }
  }
  const names = (isOne: (name: string) => boolean) => {
    const found = [...now.keys()].filter(isOne);
    return { count: found.length, where: foldNames(found) };
  };
  const isBad = (all: ReadonlyMap<string, Health>, name: string) => all.get(name)?.as !== undefined;
  const [longest] = [...now]
    .filter(([, { as }]) => as !== undefined)
    .sort(([, a], [, b]) => a.at - b.at);
  return {
    events,
    unhealthy: [...points],
    worse: names((name) => isBad(now, name) && !isBad(begin, name)),
    better: names((name) => !isBad(now, name) && isBad(begin, name)),
    ...(longest && {
      waiting: { machine: longest[0], since: isoTime(longest[1].at), text: longest[1].text },
    }),
  };
}

function healthIn({ key = '', outcome, at, seenAt, data: text = '', cause }: Entry): Health {
  const codes = outcome ? outcome.split(',') : [];
  const as = unhealthyAs(key, codes);
  return { as, at: as === 'silent' ? (seenAt ?? at) : at, text, cause, codes };
}

function countIn(now: ReadonlyMap<string, Health>): number {
  return [...now.values()].filter(({ as }) => as !== undefined).length;
}

/** An interval, which ends when the machine is well. */
function eventOf(
  machine: string,
  { as = 'silent', at, text, cause, codes }: Health,
): TimelineEvent {
  const isAlone = cause === undefined && as === 'silent';
  return {
    id: `${as} ${machine} ${at}`,
    at,
    kind: as,
    names: [machine],
    group: as === 'silent' ? (cause?.code ?? '') : codes.join(','),
    equipment: cause?.equipment ?? [],
    text: `${as}: ${text}`,
    ...(as === 'silent' && { state: 'not back' }),
    ...(codes.length > 0 && { shared: `${as}: ${codes.join(', ')}` }),
    ...(isAlone && { shared: as }),
  };
}

/** The agent's last answer may be so much earlier than the act that took its power. */
const answerMs = 60_000;

/** An effect is shown behind the power cycle that explains it. */
export function behindActs(events: readonly TimelineEvent[]): TimelineEvent[] {
  const acts = events.filter(({ kind }) => kind === 'cycle');
  return events.map((event) => {
    if (event.kind !== 'silent') return event;
    const about = new Set([...event.names, ...(event.equipment ?? [])]);
    const act = acts.find(
      ({ at, endedAt = Infinity, names }) =>
        event.at >= at - answerMs && event.at <= endedAt && names.some((name) => about.has(name)),
    );
    return act === undefined ? event : { ...event, actAt: act.at };
  });
}

/** Silence whose cause was found later. */
function explain(event: TimelineEvent | undefined, { cause, data = '' }: Entry): void {
  if (event?.kind !== 'silent' || event.group !== '' || !cause) return;
  const { code: group, equipment } = cause;
  Object.assign(event, { group, equipment, text: `silent: ${data}`, shared: undefined });
}

/** Holds, alerts, agents' new versions and rack.yaml. The power-cycle daemon knows more about cycles. */
export function recordedEvent(entry: Entry): TimelineEvent | undefined {
  const { machine, kind, key = '', at, endedAt, outcome, device, data } = entry;
  const json = data === undefined || kind === 'condition' ? undefined : parseJson(data);
  const fields = isObject(json) ? json : {};
  const textOf = (name: string) => String(fields[name] ?? '');
  switch (kind) {
    case 'hold': {
      const [by, reason] = [textOf('by'), textOf('reason')];
      const isOnIt = outcome === 'on-it';
      return {
        id: `hold ${key} ${machine}`,
        at,
        endedAt,
        kind: isOnIt ? outcome : kind,
        names: [machine],
        by,
        group: `${by} ${reason}`,
        until: Date.parse(textOf('until')) || undefined,
        text: isOnIt ? `${by} is ${reason}` : `power held by ${by}: ${reason}`,
      };
    }
    case 'alert':
      return alertEvent({ name: key, machine, device, at, endedAt, severity: outcome });
    case 'rollout': {
      const text = `agent version ${key} replaced ${textOf('previous')}`;
      const own = { id: `rollout ${machine} ${at}`, at, kind, group: `agent ${key}`, text };
      return { ...own, shared: `agent version ${key}`, names: [machine] };
    }
    case 'rack-file': {
      const changes = Array.isArray(fields.changes) ? fields.changes.map(String) : [];
      const text = `rack.yaml changed; to see who pushed it, run skolo push log`;
      return { id: `rack.yaml ${at}`, at, kind, group: '', text, names: [], details: changes };
    }
    default:
      return undefined;
  }
}

/** People's orders and notes. */
export function peopleEvent(entry: HistoryEntry): TimelineEvent | undefined {
  const at = Date.parse(entry.at);
  const names = [entry.machine];
  if (entry.kind === 'note') {
    const text = `note by ${entry.by}: ${entry.text}`;
    const id = `note ${entry.machine} ${entry.at} ${entry.text}`;
    return { id, at, kind: 'note', group: text, text, by: entry.by, names };
  }
  if (entry.kind !== 'order') return undefined;
  const { id, order, by, reason, endedAt } = entry;
  const text = `${order} by ${by ?? 'nobody known'}: ${reason}`;
  const ended = endedAt === undefined ? undefined : Date.parse(endedAt);
  return { id: `order ${id}`, at, endedAt: ended, kind: 'order', group: text, text, by, names };
}

interface Gap {
  name: string;
  at: number;
  /** Absent: it continues. */
  end?: number | undefined;
}

/** Downtime of services, and their new versions. @param entries spans when they were up */
export function serviceEvents(entries: readonly Entry[], { from, to }: Span) {
  const spans = Map.groupBy(
    entries.toSorted((a, b) => a.at - b.at),
    ({ key = '' }) => key,
  );
  const unknown = gapsOf(machineState, spans.get(machineState) ?? [], { to, leastMs: 0 });
  const gaps = [...spans]
    .flatMap(([name, own]) => gapsOf(name, own, { to, leastMs: leastDownMs }))
    .flatMap((gap) => knownPart(gap, unknown, to) ?? []);
  const downs = gaps
    .filter(({ at, end = to }) => end >= from && at < to)
    .map(({ name, at, end }): TimelineEvent => {
      const isOwn = name === machineState;
      const text = isOwn ? `${name} was down: nothing was recorded` : `${name} did not respond`;
      const id = `down ${name} ${at}`;
      return { id, at, endedAt: end, kind: 'down', group: name, text, names: [] };
    });
  return {
    events: [...downs, ...[...spans].flatMap(([name, own]) => rolloutsOf(name, own))],
    /** Absent: it is up, or was never up. */
    downSince(name: string): string | undefined {
      const gap = gaps.findLast((each) => each.name === name && each.end === undefined);
      return gap && isoTime(gap.at);
    },
  };
}

function gapsOf(
  name: string,
  spans: readonly Entry[],
  { to, leastMs }: { to: number; leastMs: number },
): Gap[] {
  return spans.flatMap(({ endedAt: at = to }, i) => {
    const end = spans[i + 1]?.at;
    // While a service is up, its last span ends with the last beat. This service is up.
    const least = end === undefined ? 2 * beatSeconds * 1000 : leastMs;
    const isDown = (end ?? to) - at > least && !(name === machineState && end === undefined);
    return isDown ? [{ name, at, end }] : [];
  });
}

/** While this service was down, nobody knows whether the others were up. */
function knownPart(gap: Gap, unknown: readonly Gap[], to: number): Gap | undefined {
  const { name, at, end = to } = gap;
  const during = unknown.findLast((each) => each.at <= end && at <= (each.end ?? to));
  if (name === machineState || during?.end === undefined) return gap;
  return end - during.end < settledMs ? undefined : { ...gap, at: Math.max(at, during.end) };
}

function rolloutsOf(name: string, spans: readonly Entry[]): TimelineEvent[] {
  let running: string | undefined;
  return spans.flatMap(({ at, outcome: version }): TimelineEvent[] => {
    const before = running;
    running = version ?? before;
    if (version === undefined || before === undefined || version === before) return [];
    const own = { id: `rollout ${name} ${at}`, at, kind: 'rollout', group: version } as const;
    const text = `version ${version} replaced ${before}`;
    return [{ ...own, text, shared: `version ${version}`, names: [name] }];
  });
}
