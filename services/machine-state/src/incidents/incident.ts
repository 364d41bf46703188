/** Computes incidents from silences: the same after a restart, and for last month. Pure. */
import type { Cause, Incident, IncidentMachine } from '@skolo/api';
import { type Words, words } from '@skolo/api/words';
import { isoTime } from '@skolo/base';
import { count } from '@skolo/base/count';
import { foldNames } from '@skolo/rack';
import { type Silence, timesOf } from '../history/silence.ts';
import { given } from '../join/machine.ts';

/** Those that fell silent within this time began it. */
const beginMs = 60_000;

/** Newest first. */
export function incidentsIn(silences: Iterable<Silence>): Incident[] {
  const all = Map.groupBy(silences, ({ incident }) => incident);
  return [...all]
    .map(([id, own]) => incidentOf(id, own))
    .sort((a, b) => (a.since === b.since ? (a.id < b.id ? 1 : -1) : a.since < b.since ? 1 : -1));
}

/** @param silences of this incident: at least one, in any order */
function incidentOf(id: string, silences: readonly Silence[]): Incident {
  const sorted = silences.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const machines = [...Map.groupBy(sorted, ({ machine }) => machine)]
    .map(([name, own]) => machineOf(name, own))
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const since = machines[0]?.at ?? isoTime(0);
  const isOpen = sorted.some(({ endedAt }) => endedAt === undefined);
  const to = isOpen ? undefined : Math.max(...sorted.map(endOf));
  const widest = widestCause(sorted);
  const names = machines.map(({ name }) => name);
  return {
    id,
    title: words(
      widest ? `${widest.cause.text}, ${partOf(widest.machines, names.length)}` : foldNames(names),
    ),
    ...given({ cause: widest?.cause }),
    since,
    ...given({ to: to === undefined ? undefined : isoTime(to) }),
    began: machines
      .filter(({ at }) => Date.parse(at) - Date.parse(since) < beginMs)
      .map(({ name }) => name),
    machines,
    causes: causesIn(sorted),
  };
}

/** The clock may have been behind when the machine answered. */
function endOf({ at, endedAt = at }: Silence): number {
  return Math.max(at, endedAt);
}

/** @param own its silences, in chronological order */
function machineOf(name: string, own: readonly Silence[]): IncidentMachine {
  // What a machine did before it was part of an outage does not date that.
  const first = own.find(({ causes }) => causes.some(({ cause }) => cause)) ?? own[0];
  const last = own.at(-1);
  const isOpen = own.some(({ endedAt }) => endedAt === undefined);
  const end = isOpen || last === undefined ? undefined : isoTime(endOf(last));
  const { ending, answeredAt } = last ?? {};
  const later =
    answeredAt === undefined ? undefined : isoTime(Math.max(first?.at ?? 0, answeredAt));
  const back = ending === 'answered' ? end : later;
  const known = last?.causes.at(-1);
  const planned = isOpen && known && isPlanned(known.cause) ? isoTime(known.at) : undefined;
  const times = own.reduce((sum, silence) => sum + timesOf(silence), 0);
  return {
    name,
    at: isoTime(first?.at ?? 0),
    ...given({
      answeredAt: back,
      left: planned
        ? { at: planned, as: 'planned' }
        : end && ending && ending !== 'answered' && !back
          ? { at: end, as: ending }
          : undefined,
      times: times > 1 ? times : undefined,
    }),
    lost: [...new Set(own.flatMap(({ lost }) => lost))],
  };
}

/** `20 machines`, or `20 of 28 machines`. */
function partOf(some: number, all: number): string {
  return `${some < all ? `${some} of ` : ''}${count(all, 'machine')}`;
}

/**
 * Returns the cause that explained the most machines at one time, and how many in all: when some have returned, a narrower cause explains
 * those that have not, but not the incident.
 */
function widestCause(silences: readonly Silence[]): { cause: Cause; machines: number } | undefined {
  const changes = silences
    .flatMap(({ id, machine, causes, endedAt }) => {
      const own = causes.map(({ at, cause }) => ({ at, id, machine, cause }));
      const end = Math.max(endedAt ?? 0, own.at(-1)?.at ?? 0);
      return endedAt === undefined ? own : [...own, { at: end, id, machine, cause: undefined }];
    })
    .toSorted((a, b) => a.at - b.at);
  const now = new Map<string, Cause | undefined>();
  const counts = new Map<
    string,
    { cause: Cause; machines: Set<string>; now: number; most: number }
  >();
  for (const { id, machine, cause } of changes) {
    const before = counts.get(now.get(id)?.code ?? '');
    if (before) before.now -= 1;
    now.set(id, cause);
    if (cause === undefined) continue;
    const known = counts.get(cause.code) ?? { cause, machines: new Set(), now: 0, most: 0 };
    counts.set(cause.code, known);
    known.machines.add(machine);
    known.now += 1;
    known.most = Math.max(known.most, known.now);
  }
  const [widest] = [...counts.values()].toSorted(
    (a, b) => b.most - a.most || Number(isPlanned(a.cause)) - Number(isPlanned(b.cause)),
  );
  return widest && { cause: widest.cause, machines: widest.machines.size };
}

function isPlanned(cause: Cause | undefined): boolean {
  return cause?.kind === 'planned';
}

/** Machines learn of the same cause one after the other. */
function causesIn(silences: readonly Silence[]): Incident['causes'] {
  const all = silences
    .flatMap(({ machine, causes }) => causes.map((cause) => ({ ...cause, machine })))
    .toSorted((a, b) => a.at - b.at);
  const rows: { at: number; cause: Cause | undefined; why: Words; machines: Set<string> }[] = [];
  const latest = new Map<string | undefined, (typeof rows)[number]>();
  for (const { at, cause, why, machine } of all) {
    const known = latest.get(cause?.code);
    if (known && at - known.at < beginMs) {
      known.machines.add(machine);
      // The last one says of how many machines.
      known.why = why;
      continue;
    }
    const row = { at, cause, why, machines: new Set([machine]) };
    latest.set(cause?.code, row);
    rows.push(row);
  }
  return rows.map(({ at, machines, cause, why }) => ({
    at: isoTime(at),
    ...given({ cause }),
    why,
    machines: machines.size,
  }));
}
