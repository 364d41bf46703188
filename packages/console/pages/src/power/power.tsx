/** The power page: running cycles, controllers, holds, outlets, and the last cycles. */
import type { PowerCycle } from '@skolo/api/power-cycle-daemon';
import { useEffect, useState } from 'preact/hooks';
import { powerCycleDaemon } from '../live/api.ts';
import { follow } from '../live/follow.ts';
import { asError, End, Failure, Load, useLoaded } from '../parts/load.tsx';
import type { Route } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { Until } from '../parts/time.tsx';
import { Controllers } from './controllers.tsx';
import { Cycles } from './cycles.tsx';
import { Outlets } from './outlets.tsx';

const everyMs = 5000;
const mostCycles = 50;

export function Power({ route }: { route: Route }) {
  const state = useLoaded(
    async (signal) => {
      const [{ controllers }, { outlets }, { holds }] = await Promise.all([
        powerCycleDaemon.controllers({ signal }),
        powerCycleDaemon.outlets({ signal }),
        powerCycleDaemon.holds({ signal }),
      ]);
      return { controllers, outlets, holds };
    },
    'power',
    everyMs,
  );
  const text = route.query.get('text') ?? '';
  return (
    <>
      <h1>Power</h1>
      <LiveCycles />
      <Load of={state}>
        {({ controllers, outlets, holds }) => (
          <>
            <Controllers controllers={controllers} />
            {holds.length > 0 && (
              <>
                <h2>Holds</h2>
                <Table caption="Holds" head={['Target', 'By', 'Until', 'Reason', '']}>
                  {holds.map(({ id, target, by, until, reason }) => (
                    <tr key={id}>
                      <th scope="row">{target}</th>
                      <td>{by}</td>
                      <td>
                        <Until time={until} />
                      </td>
                      <td>{reason}</td>
                      <td>
                        <End
                          of={`hold of ${by} on ${target}`}
                          run={async () => {
                            await powerCycleDaemon.release({ params: { id } });
                            state.reload();
                          }}
                        />
                      </td>
                    </tr>
                  ))}
                </Table>
              </>
            )}
            <Outlets outlets={outlets} text={text} reload={state.reload} />
          </>
        )}
      </Load>
    </>
  );
}

/** Running cycles, step by step. */
function LiveCycles() {
  const [cycles, setCycles] = useState<ReadonlyMap<string, PowerCycle>>(new Map());
  const [lost, setLost] = useState<Error>();
  const latest = useLoaded(
    (signal) => powerCycleDaemon.cycles({ query: { limit: mostCycles }, signal }),
    'cycles',
  );
  useEffect(() => {
    return follow((_lastId, signal) => powerCycleDaemon.cycleEvents({ signal }), {
      onOpen() {
        setLost(undefined);
        // Changes during the loss were missed.
        setCycles(new Map());
        latest.reload();
      },
      onEvent: ({ data: cycle }) => setCycles((old) => new Map(old).set(cycle.id, cycle)),
      onLost: (error) => {
        setLost(asError(error ?? 'the live view of power cycles was interrupted'));
        return true;
      },
    });
  }, []);
  const sorted = (last: readonly PowerCycle[]) => {
    const all = new Map([...last.map((cycle) => [cycle.id, cycle] as const), ...cycles]);
    return [...all.values()].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  };
  return (
    <>
      {lost && <Failure error={lost} />}
      <Load of={latest}>
        {(last) => <Cycles cycles={sorted(last.cycles).slice(0, mostCycles)} />}
      </Load>
    </>
  );
}
