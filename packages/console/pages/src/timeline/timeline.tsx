import type { Incident } from '@skolo/api/incident';
import type { Timeline, TimelineRow } from '@skolo/api/timeline';
import { clockIn, nothingIn, rowText, summaryOf, timelineText } from '@skolo/api/timeline-text';
import { useEffect, useRef, useState } from 'preact/hooks';
import { machineState } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { MachineLink } from '../parts/links.tsx';
import { Load, useLoaded } from '../parts/load.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { Tabs } from '../parts/tabs.tsx';
import { exact, sameDay } from '../parts/time.tsx';
import { Graph } from './graph.tsx';
import { type Group, groupsOf, headingOf } from './groups.ts';

const periods: readonly [string, string, number][] = [
  ['1h', '1 hour', 1],
  ['12h', '12 hours', 12],
  ['1d', '1 day', 24],
  ['7d', '1 week', 168],
];
const usualHours = 12;
const everyMs = 15_000;
const hourMs = 3_600_000;

/** The page of the rack's timeline: events from all services, and their text for the next person on call. */
export function RackTimeline({ route: { query } }: { route: Route }) {
  const [since, until, wanted] = ['since', 'until', 'period'].map(
    (key) => query.get(key) ?? undefined,
  );
  const [, , hours] = periods.find(([key]) => key === wanted) ?? ['', '', usualHours];
  const loaded = useLoaded(
    async (signal) => {
      const end = until === undefined ? Date.now() : Date.parse(until);
      const begin = since ?? new Date(end - hours * hourMs).toISOString();
      const asked = { query: { since: begin, until }, signal };
      const [timeline, { incidents }] = await Promise.all([
        machineState.timeline(asked),
        machineState.incidents(asked),
      ]);
      return { timeline, incidents };
    },
    `${since} ${until} ${hours}`,
    until === undefined ? everyMs : undefined,
  );
  return (
    <>
      <h1>Timeline</h1>
      <div class="controls">
        <Tabs
          label="Period"
          tabs={periods.map(([period, text, each]) => ({
            text,
            href: hrefOf('timeline', [], { period }),
            isCurrent: since === undefined && each === hours,
          }))}
        />
        {loaded.value && <Steps timeline={loaded.value.timeline} />}
      </div>
      <Load of={loaded}>
        {({ timeline, incidents }) => (
          <>
            <Graph timeline={timeline} onPick={(time) => go(hrefAround(time, timeline))} />
            <Summary timeline={timeline} />
            <Rows timeline={timeline} incidents={incidents} at={query.get('at') ?? undefined} />
          </>
        )}
      </Load>
    </>
  );
}

function hrefOfRange(from: number, to: number, at?: string): string {
  const [since, until] = [from, to].map((time) => new Date(time).toISOString());
  return hrefOf('timeline', [], { since, until, at });
}

/** A quarter of the period, with a time in its middle. */
function hrefAround(time: number, { since, until }: Timeline): string {
  const eighth = (Date.parse(until) - Date.parse(since)) / 8;
  return hrefOfRange(time - eighth, time + eighth);
}

/** The span before, the one after, half of it, and its double. */
function Steps({ timeline: { since, until } }: { timeline: Timeline }) {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  const span = to - from;
  const steps = [
    ['Earlier', '←', from - span, from],
    ['Later', '→', to, to + span],
    ['Zoom in', '+', from + span / 4, to - span / 4],
    ['Zoom out', '−', from - span / 2, to + span / 2],
  ] as const;
  return steps.map(([text, sign, begin, end]) => (
    <a key={text} class="button" aria-label={text} title={text} href={hrefOfRange(begin, end)}>
      {sign}
    </a>
  ));
}

function Summary({ timeline }: { timeline: Timeline }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  const pre = useRef<HTMLPreElement>(null);
  const details = useRef<HTMLDetailsElement>(null);
  const [state, setState] = useState<'copied' | 'selected'>();
  function copy() {
    if (details.current) details.current.open = true;
    if (pre.current) getSelection()?.selectAllChildren(pre.current);
    // Unlike `navigator.clipboard`, it works on a page without TLS.
    setState(document.execCommand('copy') ? 'copied' : 'selected');
  }
  const { truncated, omitsAudit, missing } = timeline;
  return (
    <section>
      <p class="muted">
        {exact(timeline.since, timezone)} to {exact(timeline.until, timezone)}{' '}
        <a
          class="button"
          href={hrefOf('incident', ['all'], { since: timeline.since, until: timeline.until })}
        >
          Machines that came back
        </a>
      </p>
      <ul class="lines">
        {summaryOf(timeline, clockIn(timezone)).map((line, i) => (
          <li key={line} class={i >= 3 && missing.length > 0 ? 'warning' : ''}>
            {line}
          </li>
        ))}
      </ul>
      {omitsAudit && <p class="muted">Sign in with the operate role to see changes by people.</p>}
      {truncated && <p class="warning">Older events are omitted; choose a shorter period.</p>}
      <button type="button" onClick={copy}>
        {state === 'copied'
          ? 'Copied'
          : state === 'selected'
            ? 'Press Ctrl-C'
            : 'Copy the handover'}
      </button>
      <details ref={details}>
        <summary>Text of the handover</summary>
        <pre ref={pre}>{timelineText(timeline, timezone).join('\n')}</pre>
      </details>
    </section>
  );
}

/** Under their incidents, with the date once a day. */
function Rows({
  timeline,
  incidents,
  at,
}: {
  timeline: Timeline;
  incidents: readonly Incident[];
  at: string | undefined;
}) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' });
  }, [at]);
  const { rows, since, until } = timeline;
  if (rows.length === 0) return <p class="muted">{nothingIn(timeline)}</p>;
  const hrefOfRow = (row: TimelineRow) => hrefOfRange(Date.parse(since), Date.parse(until), row.at);
  const dayOf = (time = '') => exact(time, timezone).slice(0, 10);
  const groups = groupsOf(rows, incidents, dayOf);
  const days = groups.map((group) => dayOf(group.rows[0]?.at));
  return (
    <div class="rows" ref={list}>
      {groups.map((group, i) => (
        <section key={group.rows.at(-1)?.at} class={group.incident ? 'group' : ''}>
          {days[i] !== days[i - 1] && <h2>{days[i]}</h2>}
          <Heading group={group} day={days[i] ?? ''} />
          <ol class="entries">
            {group.rows.map((row) => (
              <li
                key={`${row.at} ${row.kind} ${row.text}`}
                aria-current={row.at === at ? 'true' : undefined}
              >
                <Row row={row} day={days[i] ?? ''} href={hrefOfRow(row)} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

/** `03:26:05 to 03:29:40 switch-3, 20 machines, you cycled it` */
function Heading({ group, day }: { group: Group; day: string }) {
  const { incident } = group;
  const timezone = useLive(({ rack }) => rack?.timezone);
  const own = useLive(({ session }) => session?.name);
  if (incident === undefined) return null;
  const { id, since, to } = incident;
  return (
    <h3>
      {sameDay(since, timezone, day)} to {to ? sameDay(to, timezone, day) : 'now'}{' '}
      <a href={hrefOf('incident', [id])}>{headingOf(group, own)}</a>
    </h3>
  );
}

function Row({ row, day, href }: { row: TimelineRow; day: string; href: string }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  const machines = useLive((live) => live.machines);
  const { at, kind, names, details, versions } = row;
  const known = names.filter((name) => machines.has(name));
  return (
    <>
      <a href={href} title="Link to this moment">
        <time dateTime={at}>{sameDay(at, timezone, day)}</time>
      </a>
      <span class="kind">{kind === 'rack-file' ? 'rack.yaml' : kind}</span>
      <div>
        {rowText(row, (time) => sameDay(time, timezone, day))}{' '}
        {versions.map(({ equipment, from, to }) => (
          <a key={`${equipment} ${to}`} href={hrefOf('backups', [equipment], { from, to })}>
            difference of {equipment}
          </a>
        ))}
        {known.length === 1 && <MachineLink name={known[0] ?? ''} text="machine" />}
        {known.length > 1 && (
          <details>
            <summary>{known.length} machines</summary>
            {known.map((name) => (
              <span key={name}>
                <MachineLink name={name} />{' '}
              </span>
            ))}
          </details>
        )}
        {details.length > 0 && (
          <ul class="lines">
            {details.map((line) => (
              <li key={line}>
                <code>{line}</code>
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
