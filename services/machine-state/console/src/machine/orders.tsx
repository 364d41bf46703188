import type { MachineOrder } from '@skolo/api/machine-state';
import { useState } from 'preact/hooks';
import { call } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';
import { Failure } from '../parts/load.tsx';
import { Ago, Until } from '../parts/time.tsx';

/** What people have ordered, and whether the agent has it. */
export function Orders({ orders }: { orders: readonly MachineOrder[] }) {
  const canEnd = useLive(({ session }) => mayOperate(session));
  const [failed, setFailed] = useState<Error>();
  async function end(id: string) {
    setFailed(undefined);
    try {
      await call('machine-state', 'endOrder', { params: { id } });
    } catch (error) {
      setFailed(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return (
    <>
      {orders.map(({ id, kind, by, reason, since, until, deliveredAt, why }) => (
        <p class="card" key={id}>
          <b>{kind === 'maintenance' ? 'Maintenance' : 'Quarantine'}</b> by {by} since{' '}
          <Ago time={since} />, <Until time={until} />: {reason}
          {!deliveredAt && (
            <span class="warning"> The agent does not have it yet{why && `: ${why}`}.</span>
          )}
          {canEnd && (
            <button type="button" onClick={() => void end(id)}>
              End
            </button>
          )}
        </p>
      ))}
      {failed && <Failure error={failed} />}
    </>
  );
}
