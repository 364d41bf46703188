/** Lists incidents, and reports one of them, from the history and from memory, with what could not be read. */
import type {
  Away,
  Incident,
  IncidentReport,
  Machine,
  RackView,
  Timeline,
  TimelineRow,
} from '@skolo/api';
import { awayIn, rowsAfterMs } from '@skolo/api/incident-text';
import { words } from '@skolo/api/words';
import { errorText, isoTime } from '@skolo/base';
import { count } from '@skolo/base/count';
import { HttpProblem } from '@skolo/common';
import type { History } from '../history/history.ts';
import type { Silence } from '../history/silence.ts';
import { given } from '../join/machine.ts';
import type { AgentView, Services } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import { away } from './away.ts';
import { differences } from './differences.ts';
import type { Links } from './evidence.ts';
import { feedsIn } from './grouping.ts';
import { incidentsIn } from './incident.ts';
import type { Incidents } from './incidents.ts';

interface ReportDeps extends Pick<PartDeps, 'rack' | 'clock'> {
  history: Pick<History, 'silences'>;
  incidents: Pick<Incidents, 'known'>;
  current: { machine(name: string): Machine | undefined; rack(): Pick<RackView, 'shelves'> };
  agents: { view(name: string): Pick<AgentView, 'why'> };
  services: { views(): Pick<Services, 'power'> };
  links: { of(equipment: Iterable<string>): Promise<ReadonlyMap<string, Links>> };
}

type ReadTimeline = (span: { since: string; until: string }) => Promise<Timeline>;

const hourMs = 3_600_000;
const usualMs = 12 * hourMs;
/** As many as the timeline may have. */
const mostMs = 31 * 24 * hourMs;

interface Period {
  since?: string | undefined;
  until?: string | undefined;
}

/** @throws HttpProblem 422 */
export async function listIncidents(
  deps: Pick<ReportDeps, 'clock' | 'history' | 'incidents'>,
  { limit, ...period }: Period & { limit: number },
): Promise<{ incidents: Incident[]; truncated: boolean; missing: Timeline['missing'] }> {
  const { silences, completeFrom, missing } = await readSilences(deps);
  const span = spanOf(period, deps.clock.now());
  const all = incidentsIn(silences).filter(isIn(span));
  const truncated = span.from < completeFrom || all.length > limit;
  return { incidents: fairly(all, limit), truncated, missing };
}

/** The newest of each machine before the second ones of any, and so on: no machine fills the list alone. @param all newest first */
function fairly(all: readonly Incident[], limit: number): Incident[] {
  const counts = new Map<string, number>();
  const ranks = new Map<Incident, number>();
  for (const incident of all) {
    const own = incident.machines.map(({ name }) => counts.get(name) ?? 0);
    ranks.set(incident, Math.min(...own));
    for (const { name } of incident.machines) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const rankOf = (incident: Incident) => ranks.get(incident) ?? 0;
  const listed = new Set(all.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, limit));
  return all.filter((incident) => listed.has(incident));
}

/** @throws HttpProblem 422 */
function spanOf({ since, until }: Period, now: number): { from: number; to: number } {
  // An incident that continues may have begun in the future of a clock that is behind.
  const to = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  const from = since === undefined ? Math.max(0, Math.min(to, now) - usualMs) : Date.parse(since);
  if (!(from < to)) throw new HttpProblem(422, 'since: it must be before `until`');
  return { from, to };
}

function isIn({ from, to }: ReturnType<typeof spanOf>): (incident: Incident) => boolean {
  return (each) =>
    Date.parse(each.since) < to && (each.to === undefined || Date.parse(each.to) >= from);
}

/**
 * @param id as the route describes
 * @throws HttpProblem 404; 422; 503 if the history cannot be read, and memory does not have it
 */
export async function incidentReport(
  deps: ReportDeps,
  { id, ...period }: Period & { id: string },
  timeline: ReadTimeline,
): Promise<IncidentReport> {
  const { silences, completeFrom, missing } = await readSilences(deps);
  const all = incidentsIn(silences);
  const now = deps.clock.now();
  const found =
    id === 'all'
      ? together(silences, all.filter(isIn(spanOf(period, now))), now)
      : incidentNamed(id, silences, all);
  if (found === undefined) {
    const [problem] = [...missing, ...whatIsCut(completeFrom, 0)];
    if (problem) throw new HttpProblem(503, `${problem.source}: ${problem.why}`);
    throw new HttpProblem(404, `the history has no incident ${id}`);
  }
  const [{ rows, missing: unread }, notBack] = await Promise.all([
    rowsOf(deps, found, timeline),
    awayNow(deps, found),
  ]);
  const { consoleUrl } = deps.rack().services['alert-to-pubsub'];
  return {
    ...found,
    away: notBack,
    differences: differencesIn(found, silences),
    ...(consoleUrl !== undefined && { url: `${consoleUrl}/#/${pageOf(found, now)}` }),
    rows,
    ...given({ seenBefore: seenBefore(found, all) }),
    missing: [...missing, ...whatIsCut(completeFrom, Date.parse(found.since)), ...unread],
  };
}

/** The page of this incident: `last` and names mean another one tomorrow. */
function pageOf({ id, since, to }: Incident, now: number): string {
  const period = new URLSearchParams({ since, until: to ?? isoTime(now) });
  return `incident/${encodeURIComponent(id)}${id === 'all' ? `?${period}` : ''}`;
}

/** @param all newest first */
function incidentNamed(
  id: string,
  silences: readonly Silence[],
  all: readonly Incident[],
): Incident | undefined {
  // One that was merged into another.
  const wanted = silences.find((each) => each.id === id)?.incident ?? id;
  const isAbout = ({ causes, machines }: Incident) =>
    causes.some(({ cause }) => cause?.code === id || cause?.equipment.includes(id)) ||
    machines.some(({ name }) => name === id);
  return id === 'last' ? all[0] : (all.find((each) => each.id === wanted) ?? all.find(isAbout));
}

/** Of none, nobody is away. */
function together(silences: readonly Silence[], some: readonly Incident[], now: number): Incident {
  const ids = new Set(some.map(({ id }) => id));
  const own = silences.filter(({ incident }) => ids.has(incident));
  const [incident] = incidentsIn(own.map((silence) => ({ ...silence, incident: 'all' })));
  const at = isoTime(now);
  const none: Omit<Incident, 'id' | 'title'> = {
    since: at,
    to: at,
    began: [],
    machines: [],
    causes: [],
  };
  const { cause: _, ...all } = incident ?? none;
  const machines = count(all.machines.length, 'machine');
  const title = words(`${count(some.length, 'incident')}, ${machines}`);
  return some.length === 1 && some[0] ? { ...some[0], id: 'all' } : { ...all, id: 'all', title };
}

async function awayNow(
  { current, agents, services, links }: ReportDeps,
  incident: Incident,
): Promise<Away[]> {
  const uplinks = awayIn(incident).flatMap(
    ({ name }) => current.machine(name)?.wiring.uplink ?? [],
  );
  const known = await links.of(uplinks.map((port) => port.slice(0, port.indexOf('/'))));
  const { power } = services.views();
  return away(incident, {
    shelves: current.rack().shelves,
    machine: (name) => current.machine(name),
    evidence: (name) => ({
      power,
      links: (equipment) => known.get(equipment) ?? 'it was not read',
      why: agents.view(name).why,
    }),
  });
}

/** By what was known when they fell silent. */
function differencesIn({ id, machines }: Incident, silences: readonly Silence[]): string[] {
  const traits = new Map(silences.map(({ machine, traits }) => [machine, traits]));
  const own = new Map(
    silences
      .filter(({ incident }) => incident === id)
      .map(({ machine, traits }) => [machine, traits]),
  );
  const of = (some: Incident['machines']) =>
    some.map(({ name }) => own.get(name) ?? traits.get(name) ?? []);
  const back = machines.filter(({ answeredAt }) => answeredAt !== undefined);
  return differences(of(awayIn({ machines })), of(back));
}

/** All, because an incident may have begun long ago. What is in memory is newer than what is written. */
async function readSilences({ history, incidents }: Pick<ReportDeps, 'history' | 'incidents'>) {
  let written: Awaited<ReturnType<typeof history.silences>> = { silences: [], completeFrom: 0 };
  const missing: Timeline['missing'] = [];
  try {
    written = await history.silences();
  } catch (error) {
    missing.push({ source: 'history', why: errorText(error) });
  }
  const byId = new Map(
    [...written.silences.map(withEnd), ...incidents.known()].map((each) => [each.id, each]),
  );
  return { silences: [...byId.values()], completeFrom: written.completeFrom, missing };
}

/** Memory has each silence that continues, unless the history could not be read at the start. */
function withEnd(written: Silence): Silence {
  const { at, endedAt, causes } = written;
  if (endedAt !== undefined) return written;
  return { ...written, endedAt: Math.max(at, causes.at(-1)?.at ?? at), ending: 'not-known' };
}

/** @param from milliseconds since 1970 */
function whatIsCut(completeFrom: number, from: number): Timeline['missing'] {
  const why = 'it has more silences than it keeps, so older incidents may lack machines';
  return from < completeFrom ? [{ source: 'history', why }] : [];
}

function seenBefore(incident: Incident, all: readonly Incident[]): IncidentReport['seenBefore'] {
  const { id, since } = incident;
  const own = titleOf(incident);
  const earlier = all.filter(
    (each) => each.since < since && each.id !== id && titleOf(each) === own,
  );
  const [last, first] = [earlier[0], earlier.at(-1)];
  return first && last && { times: earlier.length, since: first.since, last: last.id };
}

function titleOf({ cause, title }: Incident): unknown {
  return cause?.code ?? title;
}

/** Whose rows count only if they are about its machines, or about what feeds them. */
const acts: ReadonlySet<TimelineRow['kind']> = new Set([
  'cycle',
  'hold',
  'on-it',
  'order',
  'note',
  'alert',
  'change',
]);
const changes: ReadonlySet<TimelineRow['kind']> = new Set([
  'configuration',
  'rack-file',
  'rollout',
  'down',
]);

async function rowsOf(
  { rack, clock }: Pick<ReportDeps, 'rack' | 'clock'>,
  incident: Incident,
  timeline: ReadTimeline,
) {
  const { cause, machines, since, to } = incident;
  const begin = Date.parse(since);
  const end = to === undefined ? clock.now() : Math.min(Date.parse(to) + rowsAfterMs, clock.now());
  const until = Math.max(begin + 1, end);
  // People look for what was done last.
  const from = Math.max(0, begin - hourMs, until - mostMs);
  const { rows, missing } = await timeline({ since: isoTime(from), until: isoTime(until) });
  const cut = { source: 'timeline', why: 'it has only the last 31 days of this period' };
  const feeds = feedsIn(rack());
  const related = new Set([...machines.map(({ name }) => name), ...(cause ? feeds(cause) : [])]);
  const isAbout = ({ names, at, endedAt = at }: TimelineRow) =>
    Date.parse(endedAt) >= begin - hourMs && names.some((name) => related.has(name));
  return {
    rows: rows.filter(
      (row) =>
        changes.has(row.kind) || (acts.has(row.kind) && (isAbout(row) || row.names.length === 0)),
    ),
    missing: from > begin - hourMs && from > 0 ? [...missing, cut] : missing,
  };
}
