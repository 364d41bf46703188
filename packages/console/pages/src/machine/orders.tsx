import type { Machine } from '@skolo/api/machine-state';
import { machineState, powerCycleDaemon } from '../live/api.ts';
import { End } from '../parts/load.tsx';
import { Ago, Until } from '../parts/time.tsx';

/** People's orders, and whether the agent has received them; and who holds the power. */
export function Orders({ machine: { orders, power } }: { machine: Machine }) {
  const hold = power?.hold;
  return (
    <>
      {orders.map(({ id, kind, by, reason, since, until, deliveredAt, why }) => (
        <div class="card" key={id}>
          <b>{kind === 'maintenance' ? 'Maintenance' : 'Quarantine'}</b>
          {by !== undefined && ` by ${by}`} for <Ago time={since} />, <Until time={until} />:{' '}
          {reason}
          {!deliveredAt && (
            <span class="warning">
              {' '}
              The agent has not received this order yet{why && `: ${why}`}.
            </span>
          )}
          <End of={`${kind} by ${by}`} run={() => machineState.endOrder({ params: { id } })} />
        </div>
      ))}
      {hold && (
        <div class="card" key={hold.id}>
          <b>Power held</b> by {hold.by}, <Until time={hold.until} />: {hold.reason}
          <End
            of={`hold of ${hold.by}`}
            run={() => powerCycleDaemon.release({ params: { id: hold.id } })}
          />
        </div>
      )}
      {power?.busy?.map(({ id, by, until, reason, overdue }) => (
        <div class="card" key={id}>
          <b>{overdue ? 'Busy for more than a day' : 'Busy'}</b>, as {by} says,{' '}
          <Until time={until} />: {reason}
          <End of={`job of ${by}`} run={() => powerCycleDaemon.release({ params: { id } })} />
        </div>
      ))}
    </>
  );
}
