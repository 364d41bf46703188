import { levelText } from '@skolo/api/level-text';
import type { ControllerStatus } from '@skolo/api/power-cycle-daemon';
import { count } from '@skolo/base/count';
import { PortLink } from '../parts/links.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { CycleButton } from './cycle-button.tsx';

/** Switches, PDUs, and failing hubs. The other hubs, one in each machine, are folded. */
export function Controllers({ controllers }: { controllers: ControllerStatus[] }) {
  const isFolded = ({ model, state, queue }: ControllerStatus) =>
    model === 'usb-hub' && queue === 0 && (state === 'up' || state === 'unknown');
  const hubs = controllers.filter(isFolded);
  return (
    <>
      <h2>Controllers</h2>
      <List caption="Controllers" controllers={controllers.filter((each) => !isFolded(each))} />
      {hubs.length > 0 && (
        <details>
          <summary>USB hubs of {count(hubs.length, 'machine')}</summary>
          <List caption="USB hubs" controllers={hubs} />
        </details>
      )}
    </>
  );
}

function List({ caption, controllers }: { caption: string; controllers: ControllerStatus[] }) {
  const isDown = ({ state }: ControllerStatus) => Number(state === 'down' || state === 'failing');
  const worstFirst = controllers.toSorted((a, b) => isDown(b) - isDown(a));
  return (
    <Table
      caption={caption}
      head={['Controller', 'Model', 'State', 'Queue', 'Last response', '', '']}
    >
      {worstFirst.map(({ name, model, state, since, detail, queue, lastContact, level }) => (
        <tr key={name}>
          <th scope="row">
            <PortLink port={name} />
          </th>
          <td>
            {model} <span class="tag">{levelText(level)}</span>
          </td>
          <td>
            <span class={`state s-${state}`}>{state}</span> {since && <Ago time={since} />}
          </td>
          <td class="number">{queue}</td>
          <td>
            <Ago time={lastContact} suffix=" ago" />
          </td>
          <td>{detail}</td>
          <td>
            <CycleButton name={name} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
