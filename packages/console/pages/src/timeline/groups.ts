/** Decides which rows of the timeline stand under an incident, and what its heading says. Pure. */
import type { Incident } from '@skolo/api/incident';
import { rowsAfterMs } from '@skolo/api/incident-text';
import type { TimelineRow } from '@skolo/api/timeline';

export interface Group {
  /** Absent: rows that belong to none. */
  incident?: Incident;
  rows: TimelineRow[];
}

/** An act this long before the first silence may be why. */
const beforeMs = 60_000;

/** Newest first: an incident stands where its latest row does. */
export function groupsOf(
  rows: readonly TimelineRow[],
  incidents: readonly Incident[],
  dayOf: (time: string) => string,
): Group[] {
  const groups: Group[] = [];
  const known = new Map<Incident, Group>();
  for (const row of rows.toReversed()) {
    const incident = incidents.find((each) => isOf(row, each));
    const last = groups.at(-1);
    const isSameDay = last?.rows[0] && dayOf(last.rows[0].at) === dayOf(row.at);
    const found = incident ? known.get(incident) : isSameDay && !last?.incident ? last : undefined;
    if (found) found.rows.push(row);
    else {
      const group = { ...(incident && { incident }), rows: [row] };
      groups.push(group);
      if (incident) known.set(incident, group);
    }
  }
  return groups;
}

/** At its time, and about its machines or its cause. */
function isOf({ at, names }: TimelineRow, { since, to, machines, cause }: Incident): boolean {
  const time = Date.parse(at);
  if (time < Date.parse(since) - beforeMs || (to && time > Date.parse(to) + rowsAfterMs))
    return false;
  return names.some(
    (name) => cause?.equipment.includes(name) || machines.some((each) => each.name === name),
  );
}

/** `switch-3, 20 machines, you cycled it` @param own the name of who reads it */
export function headingOf({ incident, rows }: Group, own: string | undefined): string {
  const people = rows.flatMap(({ action, by }) => (action === 'cycle' && by ? by : []));
  const acts = [...new Set(people)].map((by) => `${by === own ? 'you' : by} cycled it`);
  return [...(incident ? [`${incident.title}`] : []), ...acts].join(', ');
}
