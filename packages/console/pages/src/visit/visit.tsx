import { headlineOf } from '@skolo/api/headline';
import type { Away } from '@skolo/api/incident';
import { awayText, unknownIn } from '@skolo/api/incident-text';
import type { Machine, RackView } from '@skolo/api/machine-state';
import { beganAt } from '@skolo/api/silence';
import { machineState } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { MachineLink } from '../parts/links.tsx';
import { useLoaded } from '../parts/load.tsx';
import { Ago } from '../parts/time.tsx';

const everyMs = 10_000;

/** The printable list for a visit to the rack: who has not come back, and what needs attention, in walking order. */
export function Visit() {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  const incidents = useLoaded(
    (signal) => machineState.incident({ params: { id: 'all' }, query: {}, signal }),
    'all',
    everyMs,
  );
  const away = new Map(incidents.value?.away.map((each) => [each.name, each]));
  const unknown = incidents.value ? unknownIn(incidents.value) : [];
  if (!rack) return <p class="muted loading">Loading …</p>;
  const shelves = rack.shelves.map(({ name, machines: names }) => ({
    name,
    tasks: names.flatMap((each) => {
      const [missing, machine] = [away.get(each), machines.get(each)];
      if (missing) return <NotBack key={each} machine={missing} />;
      return machine?.needsAttention === undefined ? [] : <Task key={each} machine={machine} />;
    }),
  }));
  const headline = headlineOf([...machines.values()]);
  return (
    <article class="visit">
      <h1 class={headline.isBad ? 'bad' : ''}>
        {rack.rack}: {headline.text}
        <button type="button" onClick={() => print()}>
          Print
        </button>
      </h1>
      {incidents.error && (
        <p class="warning">Machines that have not come back: unknown: {incidents.error.message}</p>
      )}
      {unknown.map(({ source, why }) => (
        <p class="warning" key={source}>
          {source}: unknown: {why}
        </p>
      ))}
      {rack.causes.length > 0 && (
        <section>
          <h2>Common causes</h2>
          <ul class="tasks">
            {rack.causes.map(({ code, equipment, isPartial, text, why, since }) => (
              <li key={code}>
                <span class="box" aria-hidden="true" />
                <div>
                  <p>
                    <b>{`${text}`}</b> <Ago time={since} />
                  </p>
                  <p>{`${why}`}</p>
                  {(isPartial ? [] : equipment).map((name) => (
                    <p key={name} class="muted">
                      {placeOf(name, rack)}
                    </p>
                  ))}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {shelves
        .filter(({ tasks }) => tasks.length > 0)
        .map(({ name, tasks }) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul class="tasks">{tasks}</ul>
          </section>
        ))}
    </article>
  );
}

function NotBack({ machine }: { machine: Away }) {
  return (
    <li>
      <span class="box" aria-hidden="true" />
      <p>
        <b>
          <MachineLink name={machine.name} />
        </b>{' '}
        {awayText(machine)}
      </p>
    </li>
  );
}

function Task({ machine }: { machine: Machine }) {
  const { name, condition, needsAttention, sentence, wiring, devices } = machine;
  return (
    <li>
      <span class="box" aria-hidden="true" />
      <div>
        <p>
          <b>
            <MachineLink name={name} />
          </b>{' '}
          <Condition condition={condition} /> <Ago time={beganAt(machine)} />
        </p>
        <p>{needsAttention}</p>
        <p class="muted">
          {sentence} Port {wiring.uplink ?? 'unknown'}, power {wiring.power.join(', ') || 'unknown'}
          {devices.map(({ serial }) => serial && `, serial ${serial}`)}.
        </p>
      </div>
    </li>
  );
}

function placeOf(what: string, { equipment }: RackView): string {
  const found = equipment.find(({ name }) => name === what);
  const power = found?.power.join(', ') || 'unknown';
  return `${what}: uplink ${found?.uplink ?? 'unknown'}, power ${power}.`;
}
