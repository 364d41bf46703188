/** All racks of `skolo console`, worst first. */

import type { ConsoleRack } from '@skolo/api/console-racks';
import { count } from '@skolo/base/count';
import { useEffect } from 'preact/hooks';
import { CallFailed, racksConsole } from '../live/api.ts';
import { Load, useLoaded } from '../parts/load.tsx';
import { go, parseHash } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';

const everyMs = 2000;

export function Racks() {
  const loaded = useLoaded(askRacks, 'racks', everyMs);
  const [first, ...others] = loaded.value ?? [];
  const isOnly = first?.connection === 'live' && others.length === 0;
  useEffect(() => {
    if (first && isOnly) location.replace(linkTo(first));
  }, [isOnly]);
  return (
    <main id="main">
      <h1>Racks</h1>
      <Load of={loaded}>
        {(racks) => (
          <Table caption="Racks" head={['Rack', 'Connection', 'Machines', 'Problem']}>
            {racks.map((rack) => (
              <Row key={rack.name} rack={rack} />
            ))}
          </Table>
        )}
      </Load>
    </main>
  );
}

const words = { connecting: 'connecting', live: 'connected', lost: 'unreachable' } as const;

function Row({ rack }: { rack: ConsoleRack }) {
  const { name, connection, since, why, known } = rack;
  const isOld = connection !== 'live';
  return (
    <tr>
      <th scope="row">
        <a href={linkTo(rack)}>{name}</a>
      </th>
      <td>
        <span class={`state ${connection === 'lost' ? 'v-unreachable' : ''}`}>
          {words[connection]}
        </span>{' '}
        for <Ago time={since} />
        {why && <p>{why}</p>}
      </td>
      <td>
        {known ? (
          <>
            {known.needsAttention > 0 ? <b>{known.needsAttention}</b> : 'None'} of {known.machines}{' '}
            {known.needsAttention === 1 ? 'needs' : 'need'} attention
            {isOld && <p class="muted">as of the last connection</p>}
          </>
        ) : (
          <span class="muted">unknown</span>
        )}
      </td>
      <td>{known && <Troubles known={known} />}</td>
    </tr>
  );
}

function Troubles({ known }: { known: NonNullable<ConsoleRack['known']> }) {
  const { causes, alerts, services } = known;
  if (causes.length === 0 && alerts === 0 && services.length === 0) return <>Nothing</>;
  return (
    <ul>
      {causes.map(({ what, text, since }) => (
        <li key={what}>
          {text}, for <Ago time={since} />
        </li>
      ))}
      {services.length > 0 && <li>degraded: {services.join(', ')}</li>}
      {alerts > 0 && <li>{count(alerts, 'alert')} about the rack itself</li>}
    </ul>
  );
}

function linkTo({ name }: ConsoleRack): string {
  return `./${encodeURIComponent(name)}/`;
}

/** Signs in first, if the address contains a sign-in code. */
async function askRacks(signal: AbortSignal): Promise<ConsoleRack[]> {
  const code = parseHash(location.hash).query.get('code');
  if (code) {
    // Removed from the address and the history before anything else.
    go('#/', true);
    await racksConsole.signIn({ body: { code } }).catch(inWords);
  }
  return (await racksConsole.racks({ signal }).catch(inWords)).racks;
}

/** There is no token sign-in here: the message says how to sign in. */
function inWords(error: unknown): never {
  throw error instanceof CallFailed ? new Error(error.message) : error;
}
