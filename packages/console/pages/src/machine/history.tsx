import type { HistoryEntry, Machine } from '@skolo/api/machine-state';
import { conditionWord } from '@skolo/api/silence';
import { useState } from 'preact/hooks';
import { machineState } from '../live/api.ts';
import { Load, useLoaded } from '../parts/load.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { Tabs } from '../parts/tabs.tsx';
import { At, span } from '../parts/time.tsx';
import { textOf } from './entry-text.ts';
import { Timeline } from './timeline.tsx';

const periods: readonly [string, string, number][] = [
  ['6h', '6 hours', 6],
  ['1d', '1 day', 24],
  ['7d', '7 days', 168],
  ['30d', '30 days', 720],
  ['90d', '90 days', 2160],
];
const kinds: readonly [string | undefined, string][] = [
  [undefined, 'all'],
  ['would-have', 'not done'],
];
const everyMs = 15_000;
const hourMs = 3_600_000;
const first = 30;

/** Events on a common time axis, then in words. */
export function History({ machine, route }: { machine: Machine; route: Route }) {
  const { name } = machine;
  const wanted = route.query.get('period') ?? '1d';
  const [, , hours] = periods.find(([key]) => key === wanted) ?? ['', '', 24];
  const kind = route.query.get('kind') ?? undefined;
  const loaded = useLoaded(
    async (signal) => {
      const to = Date.now();
      const from = to - hours * hourMs;
      const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const [{ entries, truncated }, { curves }] = await Promise.all([
        machineState.history({ params: { name }, query: { ...query, kind }, signal }),
        machineState.curves({ params: { name }, query, signal }),
      ]);
      return { from, to, entries, truncated, curves };
    },
    `${name} ${hours} ${kind}`,
    everyMs,
  );
  return (
    <section>
      <h2>
        History
        <Tabs
          label="Period"
          tabs={periods.map(([period, text]) => ({
            text,
            href: hrefOf('machine', [name], { period, kind }),
            isCurrent: period === wanted,
          }))}
        />
        <Tabs
          label="Entries"
          tabs={kinds.map(([key, text]) => ({
            text,
            href: hrefOf('machine', [name], { period: wanted, kind: key }),
            isCurrent: key === kind,
          }))}
        />
      </h2>
      <Load of={loaded}>
        {(history) => (
          <>
            {kind === undefined && <Timeline {...history} machine={machine} />}
            <Entries entries={history.entries} truncated={history.truncated} />
          </>
        )}
      </Load>
    </section>
  );
}

function Entries({ entries, truncated }: { entries: HistoryEntry[]; truncated: boolean }) {
  const [shown, setShown] = useState(first);
  if (entries.length === 0) return <p class="muted">No entries in this period.</p>;
  return (
    <>
      <ol class="entries">
        {entries.slice(0, shown).map((entry) => (
          <li key={`${entry.at} ${entry.kind} ${textOf(entry)}`}>
            <At time={entry.at} />
            <span class="kind">{kindOf(entry)}</span>
            <span>
              {textOf(entry)}
              {'endedAt' in entry && entry.endedAt && (
                <span class="muted">
                  {' '}
                  for {span(Date.parse(entry.endedAt) - Date.parse(entry.at))}
                </span>
              )}
            </span>
          </li>
        ))}
      </ol>
      {entries.length > shown && (
        <button type="button" onClick={() => setShown(shown + 200)}>
          Show more ({entries.length} in total)
        </button>
      )}
      {truncated && <p class="muted">Not all entries are shown; choose a shorter period.</p>}
    </>
  );
}

function kindOf(entry: HistoryEntry): string {
  if (entry.kind === 'condition') return conditionWord(entry.condition);
  return entry.kind === 'order' ? entry.order : entry.kind;
}
