/** The page of backups: each piece of equipment with the state of its backup, and versions that the history has lost. */
import { backupWord } from '@skolo/api/backup-verdict';
import type { BackupEquipment, OffsiteStatus } from '@skolo/api/router-backup';
import { count } from '@skolo/base/count';
import { routerBackup } from '../live/api.ts';
import { Load, useLoaded } from '../parts/load.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { Versions } from './versions.tsx';

const everyMs = 15_000;

export function Backups({ route }: { route: Route }) {
  const [name] = route.args;
  return name === undefined ? (
    <AllEquipment />
  ) : (
    <Versions key={name} equipment={name} route={route} />
  );
}

function AllEquipment() {
  const loaded = useLoaded((signal) => routerBackup.allEquipment({ signal }), 'equipment', everyMs);
  return (
    <>
      <h1>Backups</h1>
      <Load of={loaded}>
        {({ equipment, offsite, lost }) => (
          <>
            {lost.map((each) => (
              <p class="failure" key={each.equipment}>
                The history of {each.equipment} has lost{' '}
                {each.versions === undefined ? 'some versions' : count(each.versions, 'version')}.
              </p>
            ))}
            <Table
              caption="Equipment"
              head={[
                'Name',
                'Model',
                'State',
                'Last backup',
                'Changed',
                'Versions',
                'Off site',
                '',
              ]}
            >
              {[...equipment].sort(worstFirst).map((item) => (
                <tr key={item.name}>
                  <th scope="row">
                    <a href={hrefOf('backups', [item.name])}>{item.name}</a>
                  </th>
                  <td>{item.model}</td>
                  <td>
                    <span class={`state b-${item.state}`}>{backupWord(item)}</span>{' '}
                    {item.reading && <span class="tag">reading</span>}
                  </td>
                  <td>
                    <Ago time={item.lastSuccess} suffix=" ago" />
                  </td>
                  <td>
                    <Ago time={item.changedAt} suffix=" ago" />
                  </td>
                  <td class="number">{item.versions ?? '?'}</td>
                  <td>{item.offsite}</td>
                  <td>
                    {item.unsaved && <span class="warning">Configuration not saved. </span>}
                    {item.detail ?? item.why}
                  </td>
                </tr>
              ))}
            </Table>
            {offsite.length > 0 && <OffSite destinations={offsite} />}
          </>
        )}
      </Load>
    </>
  );
}

function OffSite({ destinations }: { destinations: OffsiteStatus[] }) {
  return (
    <>
      <h2>Off site</h2>
      <Table caption="Off site" head={['Place', 'Queued', 'Last success', '']}>
        {destinations.map(({ url, queued, lastSuccess, problem }) => (
          <tr key={url}>
            <th scope="row">{url}</th>
            <td class="number">{queued}</td>
            <td>
              <Ago time={lastSuccess} suffix=" ago" />
            </td>
            <td>{problem}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

const order: readonly BackupEquipment['state'][] = [
  'failed',
  'overdue',
  'never',
  'ok',
  'not-backed-up',
  'retired',
];

function worstFirst(a: BackupEquipment, b: BackupEquipment): number {
  return (
    order.indexOf(a.state) - order.indexOf(b.state) ||
    a.name.localeCompare(b.name, 'en', { numeric: true })
  );
}
