import { headlineOf } from '@skolo/api/headline';
import { awayText } from '@skolo/api/incident-text';
import type { Machine, RackView } from '@skolo/api/machine-state';
import { beganAt } from '@skolo/api/silence';
import { machineState } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { MachineLink } from '../parts/links.tsx';
import { useLoaded } from '../parts/load.tsx';
import { Ago } from '../parts/time.tsx';
import { needingAttention } from '../rack/cards.ts';

const everyMs = 10_000;

/** The printable list for a visit to the rack: who has not come back, and what needs attention, by shelf. */
export function Visit() {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  const incidents = useLoaded(
    (signal) => machineState.incident({ params: { id: 'all' }, query: {}, signal }),
    'all',
    everyMs,
  );
  const away = incidents.value?.away ?? [];
  const gone = new Set(away.map(({ name }) => name));
  if (!rack) return <p class="muted loading">Loading …</p>;
  const shelves = rack.shelves.map(({ name, machines: names }) => ({
    name,
    away: away.filter(({ shelf }) => shelf === name),
    waiting: needingAttention(
      names.flatMap((each) => (gone.has(each) ? [] : (machines.get(each) ?? []))),
    ).sort((a, b) => a.name.localeCompare(b.name)),
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
        .filter((shelf) => shelf.away.length + shelf.waiting.length > 0)
        .map(({ name, away: here, waiting }) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul class="tasks">
              {here.map((machine) => (
                <li key={machine.name}>
                  <span class="box" aria-hidden="true" />
                  <p>
                    <b>
                      <MachineLink name={machine.name} />
                    </b>{' '}
                    {awayText(machine)}
                  </p>
                </li>
              ))}
              {waiting.map((machine) => (
                <Task key={machine.name} machine={machine} />
              ))}
            </ul>
          </section>
        ))}
    </article>
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
