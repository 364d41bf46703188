import { machineState } from '../live/api.ts';
import { MachineLink } from '../parts/links.tsx';
import { Load, useLoaded } from '../parts/load.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { span } from '../parts/time.tsx';

const choices = ['1', '7', '30', '90'];

/** The page of machines with the most downtime caused by faults. */
export function Downtime({ route }: { route: Route }) {
  const days = route.query.get('days') ?? '30';
  const loaded = useLoaded(
    (signal) => machineState.downtime({ query: { days: Number(days), limit: 50 }, signal }),
    days,
  );
  return (
    <>
      <h1>Machine downtime</h1>
      <Tabs
        label="Period"
        tabs={choices.map((each) => ({
          text: each === '1' ? 'last day' : `last ${each} days`,
          href: hrefOf('downtime', [], { days: each }),
          isCurrent: each === days,
        }))}
      />
      <Load of={loaded}>
        {({ machines }) => (
          <Table caption="Machines" head={['Machine', 'Lost', 'Faults', 'Reasons']}>
            {machines.map(({ name, times, seconds, codes }) => (
              <tr key={name}>
                <th scope="row">
                  <MachineLink name={name} />
                </th>
                <td class="number">{span(seconds * 1000)}</td>
                <td class="number">{times}</td>
                <td>{codes.map(({ code, times: count }) => `${code} ${count}`).join(', ')}</td>
              </tr>
            ))}
          </Table>
        )}
      </Load>
    </>
  );
}
