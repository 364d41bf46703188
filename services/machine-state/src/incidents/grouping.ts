/** Decides which silences are one incident: those with one cause, or with causes at once that share what feeds them. Pure. */
import type { Cause } from '@skolo/api';
import type { Rack } from '@skolo/rack';
import { firstCauseOf, isLeftover, overAfterMs, type Silence } from '../history/silence.ts';

/** A fault spreads within this time: what falls silent later has a reason of its own. */
const spreadMs = 600_000;
/** Equipment without `power` in rack.yaml has the mains in common, which fail for all of it at the same time. */
const mainsMs = 60_000;

export type Feeds = (cause: Cause) => ReadonlySet<string>;

/** The equipment of a cause, and everything that feeds it; `mains` feeds the rest. */
export function feedsIn(rack: Rack): Feeds {
  const known = new Map<string, ReadonlySet<string>>();
  return ({ code, equipment }) => {
    const found = known.get(code) ?? feedsOf(rack, equipment);
    known.set(code, found);
    return found;
  };
}

const mains = ' mains';

function feedsOf(rack: Rack, equipment: readonly string[]): Set<string> {
  const found = new Set(equipment.filter((name) => rack.equipment.has(name)));
  // A set iterates over what is added meanwhile.
  for (const name of found) {
    const power = rack.equipment.get(name)?.power ?? [];
    for (const { device } of power) found.add(device);
    if (power.length === 0 && name !== mains) found.add(mains);
  }
  return found;
}

/** Silences by incident, without incidents that are over. @param now milliseconds since 1970 */
export function current(silences: Iterable<Silence>, now: number): Map<string, Silence[]> {
  const all = Map.groupBy(silences, ({ incident }) => incident);
  return new Map([...all].filter(([, own]) => !isOver(own, now)));
}

function isOver(silences: readonly Silence[], now: number): boolean {
  return silences.every(
    ({ endedAt, answeredAt = endedAt }) =>
      endedAt !== undefined && answeredAt !== undefined && !isWithin(now, answeredAt),
  );
}

/** Whether a time is that of an end, or so shortly after it that the incident goes on. An end in the future is by another clock. */
export function isWithin(at: number, endedAt: number): boolean {
  return Math.abs(at - endedAt) < overAfterMs;
}

/**
 * The IDs of the incidents that a silence belongs to: they are one. Its own comes with them, if it has one.
 *
 * @param others silences of incidents that are not over
 */
export function incidentsOf(
  silence: Silence,
  others: ReadonlyMap<string, readonly Silence[]>,
  feeds: Feeds,
): string[] {
  const cause = firstCauseOf(silence);
  return [...others].flatMap(([id, own]) =>
    own.some((other) => isRecent(silence, other) && isShared(cause, silence, other, feeds)) &&
    isNear(silence.at, own)
      ? [id]
      : [],
  );
}

function isRecent(silence: Silence, { endedAt }: Silence): boolean {
  return endedAt === undefined || silence.at - endedAt < overAfterMs;
}

/**
 * Whether an incident goes on at a time. One machine may stay silent for days: a second fault of its switch is another incident, also just
 * after its return.
 */
export function isNear(at: number, silences: readonly Silence[]): boolean {
  const times = silences.flatMap((each) => {
    const { at: start, endedAt = start } = each;
    return [start, ...(isLeftover(each) ? [] : [endedAt])];
  });
  return at - Math.max(...times) < overAfterMs && Math.min(...times) - at < overAfterMs;
}

function isShared(cause: Cause | undefined, one: Silence, other: Silence, feeds: Feeds): boolean {
  const theirs = firstCauseOf(other);
  if (cause === undefined || theirs === undefined) return false;
  if (cause.code === theirs.code) return true;
  const apartMs = Math.abs(one.at - other.at);
  if (apartMs > spreadMs) return false;
  const own = feeds(cause);
  return [...feeds(theirs)].some((feed) => own.has(feed) && (feed !== mains || apartMs <= mainsMs));
}

/** Of several incidents that turn out to be one, the first one's ID is kept. */
export function firstOf(
  ids: readonly string[],
  silences: ReadonlyMap<string, readonly Silence[]>,
): string | undefined {
  const startOf = (id: string) => Math.min(...(silences.get(id) ?? []).map(({ at }) => at));
  return ids.toSorted((a, b) => startOf(a) - startOf(b) || (a < b ? -1 : 1))[0];
}
