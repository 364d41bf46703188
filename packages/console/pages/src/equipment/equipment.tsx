import { backupWord } from '@skolo/api/backup-verdict';
import type { RackPort } from '@skolo/api/machine-state';
import { count } from '@skolo/base/count';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { Facts } from '../parts/facts.tsx';
import { MachineLink, PortLink } from '../parts/links.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { CycleButton } from '../power/cycle-button.tsx';

/** The page of a router, switch or PDU: its state, and both ends of each cable. */
export function EquipmentView({ route }: { route: Route }) {
  const [name = ''] = route.args;
  const all = useLive(({ rack }) => rack?.equipment);
  const port = route.query.get('port');
  useEffect(() => {
    document.querySelector('tr.linked')?.scrollIntoView({ block: 'center' });
  }, [name, port, all === undefined]);
  if (!all) return <p class="muted loading">Loading …</p>;
  const equipment = all.find((each) => each.name === name);
  if (!equipment) {
    return (
      <p>
        rack.yaml does not list {name}. <a href={hrefOf('rack')}>Go to the rack</a>
      </p>
    );
  }
  const { model, address, state, why, since, uplink, power, lastBackup, backup, ports } = equipment;
  const used = ports.filter(({ powers, connects }) => powers.length + connects.length > 0);
  const unused = ports.length - used.length;
  return (
    <>
      <p class="up">
        <a href={hrefOf('rack')}>Rack</a>
      </p>
      <h1>{name}</h1>
      <p>
        <span class={`state s-${state}`}>{state}</span> {since && <Ago time={since} />}
      </p>
      {why && <p class="failure">{why}</p>}
      <div class="buttons">
        <CycleButton name={name} />
      </div>
      <Facts
        rows={[
          ['Model', model],
          ['Address', address],
          ['Uplink', uplink && <PortLink port={uplink} />],
          ...power.map((outlet): [string, ComponentChildren] => [
            'Power',
            <PortLink key={outlet} port={outlet} />,
          ]),
          [
            'Backup',
            <>
              <a href={hrefOf('backups', [name])}>{backup ? backupWord(backup) : 'versions'}</a>{' '}
              {lastBackup && <Ago time={lastBackup} suffix=" old" />}
            </>,
          ],
        ]}
      />
      <h2>{count(used.length, 'port')} in use</h2>
      {used.length > 0 && (
        <Table caption="Ports" head={['Port', 'Connects', 'Powers', 'Outlet']}>
          {used.map((each) => (
            <Port key={each.port} port={each} isLinked={each.port === port} />
          ))}
        </Table>
      )}
      {unused > 0 && <p class="muted">{count(unused, 'more port')}, not in use</p>}
    </>
  );
}

function Port({
  port: { port, connects, powers, state },
  isLinked,
}: {
  port: RackPort;
  isLinked: boolean;
}) {
  return (
    <tr class={isLinked ? 'linked' : ''} aria-current={isLinked ? 'true' : undefined}>
      <th scope="row">{port}</th>
      <td>
        <Ends names={connects} />
      </td>
      <td>
        <Ends names={powers} others={connects} />
      </td>
      <td>{state && <span class={`state s-${state}`}>{state}</span>}</td>
    </tr>
  );
}

/** What is at the other end of a port's cables, with the condition of machines unless it is shown beside it. */
function Ends({ names, others = [] }: { names: readonly string[]; others?: readonly string[] }) {
  const machines = useLive((live) => live.machines);
  return (
    <>
      {names.map((name, i) => {
        const machine = machines.get(name);
        const condition = others.includes(name) ? 'ok' : machine?.condition;
        return (
          <span key={name}>
            {i > 0 && ', '}
            {machine ? <MachineLink name={name} /> : <PortLink port={name} />}{' '}
            {condition && condition !== 'ok' && <Condition condition={condition} />}
          </span>
        );
      })}
    </>
  );
}
