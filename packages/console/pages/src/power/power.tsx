import type { PowerCycle } from '@skolo/api/power-cycle-daemon';
import { useEffect, useState } from 'preact/hooks';
import { powerCycleDaemon } from '../live/api.ts';
import { follow } from '../live/follow.ts';
import { Failure, Load, useLoaded } from '../parts/load.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { Table } from '../parts/table.tsx';
import { At, Until } from '../parts/time.tsx';
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
      <LiveCycles by={route.query.get('by')} at={route.query.get('at')} />
      <Load of={state}>
        {({ controllers, outlets, holds }) => (
          <>
            <Controllers controllers={controllers} />
            {holds.length > 0 && (
              <>
                <h2>Holds</h2>
                <Table caption="Holds" head={['Target', 'By', 'Until', 'Reason']}>
                  {holds.map(({ id, target, by, until, reason }) => (
                    <tr key={id}>
                      <th scope="row">{target}</th>
                      <td>{by}</td>
                      <td>
                        <Until time={until} />
                      </td>
                      <td>{reason}</td>
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

/** Between the cycles of one request. */
const togetherMs = 1000;

/** Running cycles, step by step; or with `by` and `at` those of one request. */
function LiveCycles({ by, at }: { by: string | null; at: string | null }) {
  const [cycles, setCycles] = useState<ReadonlyMap<string, PowerCycle>>(new Map());
  const [lost, setLost] = useState<Error>();
  const query = by && at ? { by, since: at, limit: 1000 } : { limit: mostCycles };
  const latest = useLoaded(
    (signal) => powerCycleDaemon.cycles({ query, signal }),
    `cycles ${by} ${at}`,
  );
  useEffect(() => {
    return follow((_lastId, signal) => powerCycleDaemon.cycleEvents({ signal }), {
      onOpen: () => setLost(undefined),
      onEvent: ({ data: cycle }) => setCycles((old) => new Map(old).set(cycle.id, cycle)),
      onLost: (error) => {
        setLost(
          error instanceof Error
            ? error
            : new Error('the live view of power cycles was interrupted'),
        );
        return true;
      },
    });
  }, []);
  const all = new Map((latest.value?.cycles ?? []).map((cycle) => [cycle.id, cycle]));
  for (const [id, cycle] of cycles) all.set(id, cycle);
  const sorted = [...all.values()].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  if (by && at) {
    const own = sorted.filter((cycle) => {
      const apartMs = Date.parse(cycle.requestedAt) - Date.parse(at);
      return cycle.by === by && apartMs >= 0 && apartMs < togetherMs;
    });
    return (
      <>
        <p>
          Cycles that {by} requested at <At time={at} /> · <a href={hrefOf('power')}>Show all</a>
        </p>
        {lost && <Failure error={lost} />}
        <Cycles cycles={own} isOpen />
      </>
    );
  }
  return (
    <>
      {lost && <Failure error={lost} />}
      <Cycles cycles={sorted.slice(0, mostCycles)} />
    </>
  );
}
