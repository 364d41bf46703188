/** The page of services: state, version, and what is degraded in each. */
import { useLive } from '../live/store.ts';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';

export function Services() {
  const services = useLive(({ rack }) => rack?.services);
  return (
    <>
      <h1>Services</h1>
      <Table caption="Services" head={['Service', 'State', 'Version', 'Problem', 'For']}>
        {services?.map(({ name, state = 'unknown', version, why, degraded }) => {
          const rows = why ? [{ what: '', why, since: undefined }, ...degraded] : degraded;
          const lines = rows.length > 0 ? rows : [{ what: '', why: '', since: undefined }];
          return lines.map((line, i) => (
            <tr key={`${name} ${line.what}`}>
              {i === 0 && (
                <>
                  <th scope="row" rowSpan={lines.length}>
                    {name}
                  </th>
                  <td rowSpan={lines.length}>
                    <span class={`state v-${state.replace(' ', '-')}`}>{state}</span>
                  </td>
                  <td rowSpan={lines.length}>{version}</td>
                </>
              )}
              <td>{line.what ? `${line.what}: ${line.why}` : line.why}</td>
              <td>{line.since && <Ago time={line.since} />}</td>
            </tr>
          ));
        })}
      </Table>
    </>
  );
}
