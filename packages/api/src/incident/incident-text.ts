/** An incident as text, fit to paste. The console's pages also use this, so it does not load zod. */
import { count } from '@skolo/base/count';
import type { TimelineRow } from '../timeline/timeline-api.ts';
import { type Clock, clockIn, rowText, shortly, wrapped } from '../timeline/timeline-text.ts';
import type { Away, IncidentMachine, IncidentReport } from './incident-api.ts';

/** More names do not fit on a line. */
const mostNames = 4;

/** Rows this long after the last answer still belong to an incident. */
export const rowsAfterMs = 300_000;

/** How machines leave an incident without an answer. */
export const leavings = {
  left: 'left rack.yaml',
  planned: 'in maintenance',
  'not-known': 'not known',
} as const satisfies Record<NonNullable<IncidentMachine['left']>['as'], string>;

/** Those that are silent now. */
export function awayIn({ machines }: { machines: readonly IncidentMachine[] }): IncidentMachine[] {
  return machines.filter(({ answeredAt, left }) => answeredAt === undefined && left === undefined);
}

/** Why machines may be missing in an incident: they are in the history, and all other sources only have rows. */
export function unknownIn({ missing }: Pick<IncidentReport, 'missing'>): IncidentReport['missing'] {
  return missing.filter(({ source }) => source === 'history');
}

/** `19 of 20 came back, 1 did not: rpi-030; 11 tasks lost; on it: ann 03:28 to 03:31` */
export function outcomeOf(
  { machines, rows }: Pick<IncidentReport, 'machines' | 'rows'>,
  at: (time: string) => string,
): string {
  const away = awayIn({ machines }).map(({ name }) => name);
  const lost = machines.flatMap((each) => each.lost).length;
  const back = machines.filter(({ answeredAt }) => answeredAt !== undefined);
  const came = `${back.length} of ${machines.length} came back`;
  const people = rows
    .filter(({ kind }) => kind === 'on-it')
    .map((each) => `${each.by} ${at(each.at)} to ${each.endedAt ? at(each.endedAt) : 'now'}`);
  return [
    away.length === 0 ? came : `${came}, ${away.length} did not: ${fewOf(away)}`,
    ...Object.entries(leavings).flatMap(([as, word]) => {
      const names = machines.flatMap(({ name, left }) => (left?.as === as ? name : []));
      return names.length > 0 ? [`${names.length} ${word}: ${fewOf(names)}`] : [];
    }),
    ...(lost > 0 ? [`${count(lost, 'task')} lost`] : []),
    ...(people.length > 0 ? [`on it: ${people.join(', ')}`] : []),
  ].join('; ');
}

function fewOf(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}

/** `place 7: outlet pdu-1/7 is off; turn the outlet on` */
export function awayText({ place, evidence, todo }: Away): string {
  return `place ${place}: ${[...evidence.map(({ text }) => text), todo].join('; ')}`;
}

/** @param timezone default: that of this computer */
export function incidentText(report: IncidentReport, rack: string, timezone?: string): string[] {
  const clock = clockIn(timezone);
  const { id, since, to, url, away, causes, rows, differences, seenBefore, missing } = report;
  const [from, end] = [clock(since), to === undefined ? undefined : clock(to)];
  const today = (time: string) => shortly(clock(time), from.day);
  const isBefore = ({ at }: TimelineRow) => at < since;
  const until = end === undefined ? 'now' : shortly(end, from.day);
  return [
    `${rack}, incident ${id}`,
    ...wrapped('', `${report.title}: ${from.day} ${from.time} to ${until} (${from.offset})`),
    ...wrapped('', outcomeOf(report, today)),
    ...(seenBefore
      ? [`seen before: ${count(seenBefore.times, 'time')} since ${clock(seenBefore.since).day}`]
      : []),
    ...(url === undefined ? [] : [url]),
    ...missing.flatMap(({ source, why }) => wrapped('', `${source}: events are missing: ${why}`)),
    ...section(
      'Not back',
      away.flatMap((each) => wrapped(`${each.name}  `, `${each.shelf}, ${awayText(each)}`)),
    ),
    ...section(
      'Only those that did not return',
      differences.flatMap((each) => wrapped('- ', each)),
    ),
    ...section(
      'Cause, as it was known',
      causes.flatMap(({ at, why, machines }) => wrapped(`${today(at)}  `, `${why} (${machines})`)),
    ),
    ...section('Changes in the hour before', linesOf(rows.filter(isBefore), clock)),
    ...section(
      'Actions',
      linesOf(
        rows.filter((row) => !isBefore(row)),
        clock,
      ),
    ),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function linesOf(rows: readonly TimelineRow[], clock: (time: string) => Clock): string[] {
  return rows.flatMap((row) => {
    const at = clock(row.at);
    return wrapped(
      `${at.time}  `,
      rowText(row, (time) => shortly(clock(time), at.day)),
    );
  });
}
