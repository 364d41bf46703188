/** The page of a machine: condition, why, what to do, power, orders, history and log. */
import type { Machine } from '@skolo/api/machine-state';
import { beganAt, isSilent } from '@skolo/api/silence';
import { type ActionName, actions } from '../actions/actions.ts';
import { ActionButtons } from '../actions/bar.tsx';
import { openAction } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { useKeys } from '../parts/keys.ts';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { Ago, At } from '../parts/time.tsx';
import { About } from './about.tsx';
import { History } from './history.tsx';
import { Log } from './log.tsx';
import { Orders } from './orders.tsx';
import { Screen } from './screen.tsx';

export function MachineView({ route }: { route: Route }) {
  const [name = ''] = route.args;
  const machine = useLive(({ machines }) => machines).get(name);
  const isLoaded = useLive(({ rack }) => rack !== undefined);
  if (!isLoaded) return <p class="muted loading">Loading …</p>;
  if (!machine) {
    return (
      <p>
        {name} is not in rack.yaml. <a href={hrefOf('rack')}>Go to the rack</a>
      </p>
    );
  }
  return <MachinePage key={name} machine={machine} route={route} />;
}

function MachinePage({ machine, route }: { machine: Machine; route: Route }) {
  const { name, condition, sentence, needsAttention, cause, flapping, task } = machine;
  const { taskWhenLastSeen: lastTask, lastSeen } = machine;
  useKeys('Machine', [
    { key: 'Escape', what: 'goes to the rack', run: () => go(hrefOf('rack')) },
    ...Object.entries(actions).map(([action, { key, title }]) => ({
      key,
      what: title,
      run: () => openAction(action as ActionName, [name]),
    })),
  ]);
  return (
    <article class="machine">
      <header>
        <h1>{name}</h1>
        <p class="now">
          <Condition condition={condition} /> <Ago time={beganAt(machine)} />
          {task && (
            <span class="muted">
              task {task.id} for <Ago time={task.since} />
            </span>
          )}
          {isSilent(machine) && lastSeen && (
            <span class="muted">
              last answer <At time={lastSeen} />
              {lastTask && <>, when it had task {lastTask.id}</>}; what follows is of that time
            </span>
          )}
          {flapping && (
            <span class="tag">
              flapping: {flapping.changes} changes in <Ago time={flapping.since} />
            </span>
          )}
        </p>
        <p class="sentence">{sentence}</p>
        {needsAttention && <p class="card bad">{needsAttention}</p>}
        {cause && (
          <p class="card bad">
            The cause is <a href={hrefOf('rack', [], { card: cause.code })}>{`${cause.text}`}</a>,
            which also affects{' '}
            <a href={hrefOf('rack', [], { cause: cause.code })}>other machines</a>.
          </p>
        )}
        <Orders machine={machine} />
        <ActionButtons names={[name]} />
      </header>
      <div class="columns">
        <div>
          <History machine={machine} route={route} />
          <Log name={name} />
        </div>
        <aside aria-label="Facts">
          <Screen machine={machine} />
          <About machine={machine} />
        </aside>
      </div>
    </article>
  );
}
