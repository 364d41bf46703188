/** Tables of running and finished power cycles. */
import type { PowerCycle } from '@skolo/api/power-cycle-daemon';
import { count } from '@skolo/base/count';
import { powerCycleDaemon } from '../live/api.ts';
import { MachineLink } from '../parts/links.tsx';
import { Attempt } from '../parts/load.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';

export function Cycles({ cycles }: { cycles: PowerCycle[] }) {
  const running = cycles.filter(({ finishedAt }) => finishedAt === undefined);
  const finished = cycles.filter(({ finishedAt }) => finishedAt !== undefined);
  return (
    <>
      <h2>Running</h2>
      {running.length === 0 ? (
        <p class="muted">No power cycles are running.</p>
      ) : (
        <Table caption="Running cycles" head={['Target', 'Step', 'What', 'By', 'Reason', '']}>
          {running.map((cycle) => (
            <Row key={cycle.id} cycle={cycle} />
          ))}
        </Table>
      )}
      {finished.length > 0 && (
        <details>
          <summary>
            <h2>Finished</h2> {finished.length}
          </summary>
          <Table caption="Finished cycles" head={['Target', 'Outcome', 'What', 'By', 'Reason', '']}>
            {finished.map((cycle) => (
              <Row key={cycle.id} cycle={cycle} />
            ))}
          </Table>
        </details>
      )}
    </>
  );
}

function Row({ cycle }: { cycle: PowerCycle }) {
  const { id, target, action, step, position, outcome, detail, by, reason, finishedAt, steps } =
    cycle;
  const isBad = outcome !== undefined && ['failed', 'inverted', 'stuck-off'].includes(outcome);
  return (
    <tr>
      <th scope="row">
        <MachineLink name={target} />
      </th>
      <td>
        <span class={isBad ? 'failure' : ''}>{outcome ?? step}</span>{' '}
        {position !== undefined && <span class="muted">{position} before it</span>}
      </td>
      <td>
        {action} <span class="muted">{detail}</span>
        {steps.length > 0 && (
          <details>
            <summary>{count(steps.length, 'step')}</summary>
            <ol class="plain">
              {steps.map(({ at, step: each, text }) => (
                <li key={`${at} ${each} ${text}`}>
                  <At time={at} /> {each} <span class="muted">{text}</span>
                </li>
              ))}
            </ol>
          </details>
        )}
      </td>
      <td>{by}</td>
      <td>{reason}</td>
      <td>
        <Ago time={finishedAt ?? cycle.startedAt ?? cycle.requestedAt} suffix=" ago" />{' '}
        {step === 'queued' && !finishedAt && (
          <Attempt
            text="Cancel"
            label={`Cancel: ${target}`}
            run={() => powerCycleDaemon.cancelCycle({ params: { id } })}
          />
        )}
      </td>
    </tr>
  );
}
