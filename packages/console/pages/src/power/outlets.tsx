import type { OutletStatus } from '@skolo/api/power-cycle-daemon';
import { useState } from 'preact/hooks';
import { PortLink } from '../parts/links.tsx';
import { go, hrefOf } from '../parts/router.ts';
import { SearchField } from '../parts/search-field.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { SwitchDialog } from './switch-dialog.tsx';

/** Outlets in use, those in an unexpected state first. */
export function Outlets({
  outlets,
  text,
  reload,
}: {
  outlets: OutletStatus[];
  text: string;
  reload(): void;
}) {
  const wanted = text.toLowerCase();
  const shown = outlets.filter(({ outlet, feeds, state }) =>
    [outlet, state, ...feeds].join(' ').toLowerCase().includes(wanted),
  );
  const [asked, setAsked] = useState<{ outlet: string; state: 'on' | 'off' | 'cycle' }>();
  const sorted = shown.sort((a, b) => rank(a) - rank(b) || byName(a.outlet, b.outlet));
  return (
    <>
      <h2>Outlets</h2>
      <p class="filter">
        <SearchField
          label="Outlet, machine or state"
          text={text}
          onText={(words) => go(hrefOf('power', [], { text: words }), true)}
        />
        <span class="muted" role="status">
          {shown.length} of {outlets.length}
        </span>
      </p>
      <Table caption="Outlets" head={['Outlet', 'Powers', 'State', 'Watt', '', '']}>
        {sorted.slice(0, 200).map((outlet) => (
          <tr key={outlet.outlet}>
            <th scope="row">
              <PortLink port={outlet.outlet} />
            </th>
            <td>{outlet.feeds.join(', ')}</td>
            <td>
              <span class={`state s-${outlet.state}`}>{outlet.state}</span>
            </td>
            <td class="number">{outlet.watts?.toFixed(1)}</td>
            <td>
              <Remarks outlet={outlet} />
            </td>
            <td>
              <button
                type="button"
                aria-label={`Turn ${opposite(outlet)} ${outlet.outlet}`}
                onClick={() => setAsked({ outlet: outlet.outlet, state: opposite(outlet) })}
              >
                Turn {opposite(outlet)}
              </button>
              {opposite(outlet) === 'off' && (
                <button
                  type="button"
                  aria-label={`Power cycle ${outlet.outlet}`}
                  onClick={() => setAsked({ outlet: outlet.outlet, state: 'cycle' })}
                >
                  Power cycle
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {sorted.length > 200 && (
        <p class="muted">and {sorted.length - 200} more; use the filter to find them</p>
      )}
      {asked && (
        <SwitchDialog
          target={asked.outlet}
          outlets={[asked.outlet]}
          state={asked.state}
          onClose={() => {
            setAsked(undefined);
            reload();
          }}
        />
      )}
    </>
  );
}

function Remarks({
  outlet: { stuckOff, pendingOnSince, switchedOff, fault },
}: {
  outlet: OutletStatus;
}) {
  return (
    <>
      {stuckOff && <span class="failure">stuck off. </span>}
      {pendingOnSince && (
        <span class="warning">
          waiting for <Ago time={pendingOnSince} /> to be turned on again.{' '}
        </span>
      )}
      {switchedOff && (
        <>
          turned off by {switchedOff.by}, <Ago time={switchedOff.at} suffix=" ago" />:{' '}
          {switchedOff.reason}{' '}
        </>
      )}
      {fault && <span class="failure">{fault}</span>}
    </>
  );
}

function rank({ stuckOff, pendingOnSince, fault, state, switchedOff }: OutletStatus): number {
  if (stuckOff) return 0;
  if (pendingOnSince) return 1;
  if (fault) return 2;
  if (state === 'unknown') return 6;
  return state === 'on' ? 5 : switchedOff ? 4 : 3;
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Also for one in an unknown state: turning it off definitely cuts its power. */
function opposite({ state, switchedOff }: OutletStatus): 'on' | 'off' {
  return state === 'off' || switchedOff ? 'on' : 'off';
}
