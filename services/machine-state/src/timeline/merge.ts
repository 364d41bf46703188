/** Decides which events of the timeline share a row: those of one kind and cause, within a minute. Pure. */
import type { TimelineRow } from '@skolo/api';
import { isoTime } from '@skolo/base';
import { foldNames } from '@skolo/rack';
import { given } from '../join/machine.ts';

export interface TimelineEvent {
  /** Two sources may report the same event; the last report counts. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  /** When the act began that explains it: it is shown behind that. */
  actAt?: number | undefined;
  endedAt?: number | undefined;
  until?: number | undefined;
  kind: TimelineRow['kind'];
  /** Its cause or request: events of a row have the same. */
  group: string;
  /** Of its cause. */
  equipment?: readonly string[] | undefined;
  /** For a row with different texts, `shared` is used, or else the last text. */
  text: string;
  by?: string | undefined;
  action?: TimelineRow['action'];
  shared?: string | undefined;
  /** Counted in a row: `9 back, 1 failed`. */
  state?: string | undefined;
  /** Machines or devices. */
  names: readonly string[];
  details?: readonly string[] | undefined;
  versions?: TimelineRow['versions'] | undefined;
}

const minuteMs = 60_000;
/** Other kinds: a minute. */
const windowMs: Partial<Record<TimelineEvent['kind'], number>> = {
  'sign-in': 60 * minuteMs,
  rollout: 10 * minuteMs,
};
/** A row's details, and names that are not only folded. */
const mostDetails = 100;
const mostNames = 1000;

/** The newest rows, oldest first. */
export function mergeEvents(
  events: readonly TimelineEvent[],
  mostRows: number,
): { rows: TimelineRow[]; truncated: boolean } {
  const groups = grouped(events);
  return { rows: groups.slice(-mostRows).map(rowOf), truncated: groups.length > mostRows };
}

/** The events of each row, in chronological order, as are the rows. */
export function grouped(events: readonly TimelineEvent[]): TimelineEvent[][] {
  const known = new Map(events.map((event) => [event.id, event]));
  const orderOf = ({ at, actAt = at }: TimelineEvent) => Math.max(at, actAt);
  const sorted = [...known.values()].sort(
    (a, b) =>
      orderOf(a) - orderOf(b) ||
      Number(a.actAt !== undefined) - Number(b.actAt !== undefined) ||
      (a.id < b.id ? -1 : 1),
  );
  const groups: TimelineEvent[][] = [];
  const latest = new Map<string, TimelineEvent[]>();
  for (const event of sorted) {
    const key = `${event.kind} ${event.group}`;
    const group = latest.get(key);
    const [first] = group ?? [];
    if (group && first && event.at - first.at <= (windowMs[event.kind] ?? minuteMs)) {
      group.push(event);
      continue;
    }
    const begun = [event];
    latest.set(key, begun);
    groups.push(begun);
  }
  return groups;
}

function rowOf(events: readonly TimelineEvent[]): TimelineRow {
  const last = events.at(-1);
  if (last === undefined) throw new RangeError('a row has an event');
  const isOneText = events.every(({ text }) => text === last.text);
  const states = Map.groupBy(
    events.flatMap(({ state }) => state ?? []),
    (state) => state,
  );
  const counts = [...states].map(([state, { length }]) =>
    events.length === 1 ? state : `${length} ${state}`,
  );
  const names = [...new Set(events.flatMap((event) => event.names))];
  const where = names.length > 1 ? `${foldNames(names)} (${names.length})` : names.join('');
  const ends = events.flatMap(({ endedAt }) => endedAt ?? []);
  const untils = events.flatMap(({ until }) => until ?? []);
  return {
    at: isoTime(Math.min(...events.map(({ at }) => at))),
    ...given({
      endedAt: ends.length === events.length ? isoTime(Math.max(...ends)) : undefined,
      until: untils.length > 0 ? isoTime(Math.max(...untils)) : undefined,
    }),
    kind: last.kind,
    ...given({ by: last.by, action: last.action }),
    text: [isOneText ? last.text : (last.shared ?? last.text), counts.join(', ')]
      .filter(Boolean)
      .join('; '),
    where,
    names: names.slice(0, mostNames),
    details: events.flatMap(({ details = [] }) => details).slice(0, mostDetails),
    versions: events.flatMap(({ versions = [] }) => versions).slice(0, mostDetails),
  };
}
