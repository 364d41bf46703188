/** Computes incidents from silences: the same after a restart, and for last month. Pure. */
import type { Incident, IncidentMachine } from '@skolo/api';
import { isoTime } from '@skolo/base';
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
  const since = sorted[0]?.at ?? 0;
  const machines = [...Map.groupBy(sorted, ({ machine }) => machine)].map(([name, own]) =>
    machineOf(name, own),
  );
  const isOpen = sorted.some(({ endedAt }) => endedAt === undefined);
  const to = isOpen ? undefined : Math.max(...sorted.map(({ endedAt = 0 }) => endedAt));
  const cause = mainCause(sorted);
  return {
    id,
    what: cause ?? foldNames(machines.map(({ name }) => name)),
    isExplained: cause !== undefined,
    since: isoTime(since),
    ...given({ to: to === undefined ? undefined : isoTime(to) }),
    began: [
      ...new Set(sorted.filter(({ at }) => at - since < beginMs).map(({ machine }) => machine)),
    ],
    machines,
    causes: causesIn(sorted),
  };
}

/** @param own its silences, in chronological order */
function machineOf(name: string, own: readonly Silence[]): IncidentMachine {
  const [first, last] = [own[0], own.at(-1)];
  const isOpen = own.some(({ endedAt }) => endedAt === undefined);
  const endedAt = isOpen ? undefined : last?.endedAt;
  const times = own.reduce((sum, silence) => sum + timesOf(silence), 0);
  return {
    name,
    at: isoTime(first?.at ?? 0),
    ...given({
      answeredAt: endedAt === undefined ? undefined : isoTime(endedAt),
      times: times > 1 ? times : undefined,
      left: last?.left,
    }),
    lost: [...new Set(own.flatMap(({ lost }) => lost))],
  };
}

/** The last cause that was known for each machine; that of most. */
function mainCause(silences: readonly Silence[]): string | undefined {
  const causes = silences.flatMap(({ causes }) => causes.findLast(({ what }) => what !== '') ?? []);
  const counts = Map.groupBy(causes, ({ what }) => what);
  return [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/** Machines learn of the same cause one after the other. */
function causesIn(silences: readonly Silence[]): Incident['causes'] {
  const all = silences
    .flatMap(({ machine, causes }) => causes.map((cause) => ({ ...cause, machine })))
    .toSorted((a, b) => a.at - b.at);
  const rows: { at: number; what: string; text: string; machines: Set<string> }[] = [];
  const latest = new Map<string, (typeof rows)[number]>();
  for (const { at, what, text, machine } of all) {
    const known = latest.get(what);
    if (known && at - known.at < beginMs) {
      known.machines.add(machine);
      // The last one says of how many machines.
      known.text = text;
      continue;
    }
    const row = { at, what, text, machines: new Set([machine]) };
    latest.set(what, row);
    rows.push(row);
  }
  return rows.map(({ at, machines, ...rest }) => ({
    ...rest,
    at: isoTime(at),
    machines: machines.size,
  }));
}
