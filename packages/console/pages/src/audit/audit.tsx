import { type AuditRow, auditRows } from '@skolo/api/audit-rows';
import { count } from '@skolo/base/count';
import { mayOperate, useLive } from '../live/store.ts';
import { NeedsOperate } from '../parts/form-end.tsx';
import { useKeys } from '../parts/keys.ts';
import { MachineLink } from '../parts/links.tsx';
import { Failure } from '../parts/load.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { SearchField } from '../parts/search-field.tsx';
import { Table } from '../parts/table.tsx';
import { At } from '../parts/time.tsx';
import { type AuditFilter, auditedServices, useAudit } from './use-audit.ts';

/** Further names are hidden behind `and 3 more`. */
const mostTargets = 4;

/** The page of the audit log: changes and rejected requests in all services, with who made them. */
export function Audit({ route }: { route: Route }) {
  const isAllowed = useLive(({ session }) => mayOperate(session));
  return (
    <>
      <h1>Audit</h1>
      {isAllowed ? <Changes filter={Object.fromEntries(route.query)} /> : <NeedsOperate />}
    </>
  );
}

function Changes({ filter }: { filter: AuditFilter }) {
  const { changes, completeTo, isLoading, failed, skipped, reload, loadOlder } = useAudit(filter);
  useKeys('Audit', [
    { key: 'w', what: 'filters by person', run: () => document.getElementById('who')?.focus() },
    { key: 'f', what: 'filters by text', run: () => document.getElementById('words')?.focus() },
    { key: 'r', what: 'loads the newest entries', run: reload },
    { key: 'o', what: 'loads older entries', run: loadOlder },
  ]);
  return (
    <>
      <Filter filter={filter} shown={changes.length} isLoading={isLoading} reload={reload} />
      {failed.map(({ name, error }) => (
        <Failure key={name} error={new Error(`${name}: entries are missing: ${error.message}`)} />
      ))}
      {skipped > 0 && <p class="warning">{count(skipped, 'damaged line')} skipped.</p>}
      {changes.length > 0 && (
        <Table
          caption="Changes and rejected requests"
          head={['When', 'Who', 'What', 'Target', 'Reason', 'Outcome', 'Service', '']}
        >
          {auditRows(changes).map((row, i) => (
            <Row key={`${row.service} ${row.time} ${i}`} row={row} filter={filter} />
          ))}
        </Table>
      )}
      {changes.length === 0 && !isLoading && failed.length === 0 && (
        <p class="muted">{completeTo ? 'No entries found so far.' : 'No matching entries.'}</p>
      )}
      {completeTo && (
        <p>
          <button type="button" disabled={isLoading} onClick={loadOlder}>
            Older
          </button>{' '}
          <span class="muted">
            than <At time={completeTo} />
          </span>
        </p>
      )}
    </>
  );
}

function Filter({
  filter,
  shown,
  isLoading,
  reload,
}: {
  filter: AuditFilter;
  shown: number;
  isLoading: boolean;
  reload(): void;
}) {
  const { service, who, text } = filter;
  const set = (change: AuditFilter) => go(hrefOf('audit', [], { ...filter, ...change }), true);
  return (
    <p class="filter">
      <select
        aria-label="Service"
        value={service ?? ''}
        onChange={({ currentTarget }) => set({ service: currentTarget.value })}
      >
        <option value="">Service: all</option>
        {auditedServices.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <SearchField id="who" label="Person" text={who} onText={(name) => set({ who: name })} />
      <SearchField
        id="words"
        label="Machine or other text"
        text={text}
        onText={(words) => set({ text: words })}
      />
      <button type="button" onClick={reload}>
        Reload
      </button>
      <span class="muted" role="status">
        {isLoading ? 'Loading …' : `${shown} shown`}
      </span>
      {(service || who || text) && <a href={hrefOf('audit')}>Show all</a>}
    </p>
  );
}

function Row({ row, filter }: { row: AuditRow; filter: AuditFilter }) {
  const { time, who, role, from, action, times, target, why, result, because, service } = row;
  const { input, answer } = row;
  const isBad = /^(rejected|failed|stuck)/.test(result);
  return (
    <tr>
      <td>
        <At time={time} />
      </td>
      <th scope="row">
        <a href={hrefOf('audit', [], { ...filter, who })}>{who}</a>{' '}
        <span class="muted">{role}</span>
        {from && <div class="labels">{from}</div>}
      </th>
      <td>
        {action}
        {times > 1 && <span class="muted"> ×{times}</span>}
      </td>
      <td>{target && <Targets target={target} />}</td>
      <td>{why}</td>
      <td>
        {result === 'begun' ? (
          <span class="warning">no outcome yet: still running, or the service has stopped</span>
        ) : (
          <>
            <span class={isBad ? 'failure' : ''}>{result}</span> {because}
          </>
        )}
      </td>
      <td>{service}</td>
      <td>
        {(input || answer) && (
          <details>
            <summary>Details</summary>
            <pre class="labels">{JSON.stringify({ input, answer }, undefined, 1)}</pre>
          </details>
        )}
      </td>
    </tr>
  );
}

function Targets({ target }: { target: string }) {
  const machines = useLive((live) => live.machines);
  const names = target.split(' ');
  // A sentence, or a request's path.
  if (!names.some((name) => machines.has(name))) return <>{target}</>;
  const links = names.map((name) => (
    <div key={name}>{machines.has(name) ? <MachineLink name={name} /> : name}</div>
  ));
  if (names.length <= mostTargets) return <>{links}</>;
  return (
    <>
      {links.slice(0, mostTargets - 1)}
      <details>
        <summary>and {names.length - mostTargets + 1} more</summary>
        {links.slice(mostTargets - 1)}
      </details>
    </>
  );
}
