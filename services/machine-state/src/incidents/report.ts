/** Lists incidents, and reports one of them, from the history and from memory, with what could not be read. */
import type { Incident, IncidentReport, Timeline, TimelineRow } from '@skolo/api';
import { errorText, isoTime } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import type { History } from '../history/history.ts';
import type { Silence } from '../history/silence.ts';
import { given } from '../join/machine.ts';
import type { PartDeps } from '../part-deps.ts';
import { equipmentIn, feedsIn } from './grouping.ts';
import { incidentsIn } from './incident.ts';
import type { Incidents } from './incidents.ts';

interface ReportDeps extends Pick<PartDeps, 'rack' | 'clock'> {
  history: Pick<History, 'silences'>;
  incidents: Pick<Incidents, 'known'>;
}

type ReadTimeline = (span: { since: string; until: string }) => Promise<Timeline>;

const hourMs = 3_600_000;
const usualMs = 12 * hourMs;
/** As many as the timeline may have. */
const mostMs = 31 * 24 * hourMs;
/** Rows this long after the last answer still belong to it. */
const afterMs = 300_000;
/** 40 incidents of 300 machines a day. */
const mostSilences = 20_000;

/** @throws HttpProblem 422 */
export async function listIncidents(
  deps: ReportDeps,
  {
    since,
    until,
    limit,
  }: { since?: string | undefined; until?: string | undefined; limit: number },
): Promise<{ incidents: Incident[]; truncated: boolean; missing: Timeline['missing'] }> {
  const to = until === undefined ? deps.clock.now() + 1 : Date.parse(until);
  const from = since === undefined ? Math.max(0, to - usualMs) : Date.parse(since);
  if (!(from < to)) throw new HttpProblem(422, 'since: it must be before `until`');
  const { silences, isCut, missing } = await readSilences(deps);
  const all = incidentsIn(silences).filter(
    (each) => Date.parse(each.since) < to && (each.to === undefined || Date.parse(each.to) >= from),
  );
  return { incidents: all.slice(0, limit), truncated: isCut || all.length > limit, missing };
}

/** @param id or `last` @throws HttpProblem 404; 503 if the history cannot be read, and memory does not have it */
export async function incidentReport(
  deps: ReportDeps,
  id: string,
  timeline: ReadTimeline,
): Promise<IncidentReport> {
  const { silences, missing } = await readSilences(deps);
  const all = incidentsIn(silences);
  // One that was merged into another.
  const wanted = silences.find((each) => each.id === id)?.incident ?? id;
  const found = id === 'last' ? all[0] : all.find((each) => each.id === wanted);
  if (found === undefined) {
    const [problem] = missing;
    if (problem) throw new HttpProblem(503, `${problem.source}: ${problem.why}`);
    const which = id === 'last' ? 'no machine has fallen silent' : `no incident ${id}`;
    throw new HttpProblem(404, `${which} in the history`);
  }
  const { rows, missing: unread } = await rowsOf(deps, found, timeline);
  return {
    ...found,
    rows,
    ...given({ seenBefore: seenBefore(found, all) }),
    missing: [...missing, ...unread],
  };
}

/** All, because an incident may have begun long ago. What is in memory is newer than what is written. */
async function readSilences({ history, incidents }: ReportDeps) {
  let written: Silence[] = [];
  const missing: Timeline['missing'] = [];
  try {
    written = await history.silences(mostSilences);
  } catch (error) {
    missing.push({ source: 'history', why: errorText(error) });
  }
  const byId = new Map([...written, ...incidents.known()].map((each) => [each.id, each]));
  return { silences: [...byId.values()], isCut: written.length >= mostSilences, missing };
}

function seenBefore(incident: Incident, all: readonly Incident[]): IncidentReport['seenBefore'] {
  const { id, what, since } = incident;
  const earlier = all.filter((each) => each.what === what && each.since < since && each.id !== id);
  const [last, first] = [earlier[0], earlier.at(-1)];
  return first && last && { times: earlier.length, since: first.since, last: last.id };
}

/** Whose rows count only if they are about its machines, or about what feeds them. */
const acts: ReadonlySet<TimelineRow['kind']> = new Set([
  'cycle',
  'hold',
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
  const { what, machines, since, to } = incident;
  const begin = Date.parse(since);
  const end = to === undefined ? clock.now() : Math.min(Date.parse(to) + afterMs, clock.now());
  const until = Math.max(begin + 1, Math.min(end, begin - hourMs + mostMs));
  const { rows, missing } = await timeline({
    since: isoTime(Math.max(0, begin - hourMs)),
    until: isoTime(until),
  });
  const feeds = feedsIn(rack());
  const related = new Set([
    ...machines.map(({ name }) => name),
    ...equipmentIn(rack(), what).flatMap((name) => [...feeds(name)]),
  ]);
  const isAbout = ({ names, at, endedAt = at }: TimelineRow) =>
    Date.parse(endedAt) >= begin - hourMs && names.some((name) => related.has(name));
  return {
    rows: rows.filter(
      (row) =>
        changes.has(row.kind) || (acts.has(row.kind) && (isAbout(row) || row.names.length === 0)),
    ),
    missing,
  };
}
