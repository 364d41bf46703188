/** The page of an incident, or of all incidents of a period: who came back, who did not, and what is different about those. */
import type { Away, Incident, IncidentMachine, IncidentReport } from '@skolo/api/incident';
import { awayIn, awayText, outcomeOf } from '@skolo/api/incident-text';
import type { Machine } from '@skolo/api/machine-state';
import { isSilent } from '@skolo/api/silence';
import type { TimelineRow } from '@skolo/api/timeline';
import { rowText } from '@skolo/api/timeline-text';
import { count } from '@skolo/base/count';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { machineState } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { Load, useLoaded } from '../parts/load.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { At, exact, moment } from '../parts/time.tsx';
import { CycleButton } from '../power/cycle-button.tsx';
import { OnIt } from '../rack/on-it.tsx';
import { TileList } from '../rack/tile-list.tsx';
import { Wiring } from './wiring.tsx';

const everyMs = 10_000;

export function IncidentPage({ route: { args, query } }: { route: Route }) {
  const [id = 'last'] = args;
  const [since, until] = ['since', 'until'].map((key) => query.get(key) ?? undefined);
  const loaded = useLoaded(
    (signal) => machineState.incident({ params: { id }, query: { since, until }, signal }),
    `${id} ${since} ${until}`,
    everyMs,
  );
  const found = loaded.value?.id;
  // The address of an incident is its ID: a name means another one tomorrow.
  useEffect(() => {
    if (found !== undefined && found !== id && id !== 'all') go(hrefOf('incident', [found]), true);
  }, [found, id]);
  return (
    <article class="incident">
      <Load of={loaded}>{(report) => <Report report={report} />}</Load>
      {loaded.error && <a href={hrefOf('timeline')}>Go to the timeline</a>}
    </article>
  );
}

function Report({ report }: { report: IncidentReport }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  const all = useLive((live) => live.machines);
  const machines = report.machines.flatMap(({ name }) => all.get(name) ?? []);
  const at = (time: string) => moment(time, timezone);
  const { id, since, to, differences, seenBefore, missing, causes } = report;
  const now = withNow(report.machines, all);
  const silent = new Set(awayIn({ machines: now }).map(({ name }) => name));
  const before = report.rows.filter((row) => row.at < since);
  const during = report.rows.filter((row) => row.at >= since);
  return (
    <>
      <h1>{`${report.title}`}</h1>
      <p>
        <At time={since} /> to {to ? <At time={to} /> : 'now'}{' '}
        <a class="button" href={hrefOf('incident', [id], id === 'all' ? { since, until: to } : {})}>
          Link to this incident
        </a>{' '}
        <a class="button" href={hrefOf('timeline', [], { since, until: to })}>
          Timeline
        </a>
      </p>
      <p class="outcome" role="status">
        {outcomeOf({ machines: now, rows: report.rows }, at)}
      </p>
      {seenBefore && (
        <p>
          Seen before: {count(seenBefore.times, 'time')} since{' '}
          {exact(seenBefore.since, timezone).slice(0, 10)}{' '}
          <a class="button" href={hrefOf('incident', [seenBefore.last])}>
            The last one
          </a>
        </p>
      )}
      {missing.map(({ source, why }) => (
        <p class="warning" key={source}>
          {source}: events are missing: {why}
        </p>
      ))}
      <div class="buttons">
        {to === undefined &&
          report.cause?.equipment.map((name) => <CycleButton key={name} name={name} of={name} />)}
        {machines.length > 0 && (
          <OnIt
            what={`${report.cause?.text ?? report.title}`}
            machines={machines}
            since={since}
            incident={to === undefined && id !== 'all' ? id : undefined}
          />
        )}
      </div>
      <TileList machines={machines} isTabStop />
      <NotBack away={report.away.filter(({ name }) => silent.has(name))} />
      {differences.length > 0 && (
        <Section title="Only those that did not return">
          {differences.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </Section>
      )}
      <Wiring report={report} />
      <Causes causes={causes} at={at} />
      <Rows title="Actions" rows={during} at={at} />
      <Rows title="Changes in the hour before" rows={before} at={at} />
    </>
  );
}

/** The stream of changes knows of a return before the report does. */
function withNow(
  machines: readonly IncidentMachine[],
  all: ReadonlyMap<string, Machine>,
): IncidentMachine[] {
  return machines.map((each) => {
    const machine = all.get(each.name);
    const isBack = machine && !isSilent(machine) && machine.condition !== 'maintenance';
    return isBack && !each.left && each.answeredAt === undefined
      ? { ...each, answeredAt: machine.lastSeen ?? each.at }
      : each;
  });
}

function NotBack({ away }: { away: readonly Away[] }) {
  if (away.length === 0) return null;
  return (
    <Section title={`Not back: ${away.length}`}>
      {away.map((machine) => (
        <li key={machine.name}>
          <a href={hrefOf('machine', [machine.name])}>{machine.name}</a>{' '}
          <span class="muted">{machine.shelf},</span> {awayText(machine)}
        </li>
      ))}
    </Section>
  );
}

function Causes({ causes, at }: { causes: Incident['causes']; at(time: string): string }) {
  if (causes.length === 0) return null;
  return (
    <Section title="Cause, as it was known">
      {causes.map((cause) => (
        <li key={`${cause.at} ${cause.cause?.code}`}>
          <time dateTime={cause.at}>{at(cause.at)}</time> {`${cause.why}`} (
          {count(cause.machines, 'machine')})
        </li>
      ))}
    </Section>
  );
}

function Rows({
  title,
  rows,
  at,
}: {
  title: string;
  rows: readonly TimelineRow[];
  at(time: string): string;
}) {
  if (rows.length === 0) return null;
  return (
    <Section title={title}>
      {rows.map((row) => (
        <li key={`${row.at} ${row.text} ${row.where}`}>
          <time dateTime={row.at}>{at(row.at)}</time> {rowText(row, at)}
        </li>
      ))}
    </Section>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <ul class="lines">{children}</ul>
    </section>
  );
}
