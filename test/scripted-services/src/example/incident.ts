import type { Incident, IncidentReport, Machine, RackView, TimelineRow } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { awayIn } from '@skolo/api/incident-text';
import { isSilent } from '@skolo/api/silence';
import { words } from '@skolo/api/words';

const related: ReadonlySet<TimelineRow['kind']> = new Set([
  ...(['configuration', 'rack-file', 'cycle', 'hold', 'on-it', 'note', 'alert', 'down'] as const),
]);

/** The incident of a rack's first cause: some of its machines have returned. */
export function incidentIn(rack: RackView, machines: readonly Machine[]): Incident {
  const [cause] = rack.causes;
  const named = new Set(cause?.machines ?? machines.slice(0, 1).map(({ name }) => name));
  const since = cause?.since ?? '2026-11-20T03:26:05.000Z';
  const after = (seconds: number) => new Date(Date.parse(since) + seconds * 1000).toISOString();
  const now = new Date().toISOString();
  const returned = machines.filter(
    ({ name, condition }) => !named.has(name) && condition === 'ok' && after(240) < now,
  );
  const all = [...machines.filter(({ name }) => named.has(name)), ...returned.slice(-6)];
  return {
    id: incidentId(since, all[0]?.name ?? ''),
    title: words(cause ? `${cause.text}, ${all.length} machines` : `${all[0]?.name}`),
    ...(cause && { cause }),
    since,
    began: all.map(({ name }) => name),
    machines: all.map((machine, at) => ({
      name: machine.name,
      at: after(at % 3),
      ...(!isSilent(machine) && { answeredAt: after(180 + 7 * at) }),
      lost: machine.taskWhenLastSeen?.id ? [machine.taskWhenLastSeen.id] : [],
    })),
    causes: cause ? [{ at: after(50), cause, why: cause.why, machines: named.size }] : [],
  };
}

export function incidentId(since: string, machine: string): string {
  return `${since.slice(0, 19).replaceAll(/[-:]/g, '')}-${machine}`;
}

/** That of a row of the timeline. */
export function incidentOf({ at, endedAt, kind, names, text }: TimelineRow): Incident[] {
  if (kind !== 'silent') return [];
  const machines = names.map((name) => ({
    name,
    at,
    lost: [],
    ...(endedAt && { answeredAt: endedAt }),
  }));
  const cause = equipmentCause(['switch-1']);
  const causes = [{ at, cause, why: words(text), machines: names.length }];
  const since = { id: incidentId(at, names[0] ?? ''), since: at };
  const title = words(`switch-1, ${names.length} machines`);
  const what = { title, cause, began: names, machines, causes };
  return [{ ...since, ...(endedAt && { to: endedAt }), ...what }];
}

/** @param rows of the timeline */
export function incidentReportIn(
  rack: RackView,
  machines: readonly Machine[],
  rows: readonly TimelineRow[],
): IncidentReport {
  const incident = incidentIn(rack, machines);
  const silent = new Set(awayIn(incident).map(({ name }) => name));
  const uplinkOf = new Map(machines.map(({ name, wiring }) => [name, wiring.uplink]));
  return {
    ...incident,
    away: rack.shelves.flatMap(({ name: shelf, machines: names }) =>
      names.flatMap((name, at) =>
        silent.has(name)
          ? [
              {
                ...{ name, shelf, place: at + 1, todo: words('repair that first') },
                evidence: [
                  {
                    kind: 'equipment-down' as const,
                    text: words(`${incident.cause?.text} is down`),
                  },
                  {
                    kind: 'no-link' as const,
                    text: words(`port ${uplinkOf.get(name)} has no link`),
                  },
                ],
              },
            ]
          : [],
      ),
    ),
    differences: ['model pixel 6: 2 of 3 that did not return, 0 of 17 that did'],
    rows: rows.filter(({ kind, at }) => related.has(kind) && at < new Date().toISOString()),
    seenBefore: { times: 3, since: '2026-10-02T01:10:00.000Z', last: '20261112T011000-rpi-001' },
    missing: [],
  };
}
