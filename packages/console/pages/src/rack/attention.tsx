import { headlineOf } from '@skolo/api/headline';
import type { Machine, MachineAlert, RackView } from '@skolo/api/machine-state';
import { incidentsOf, isSilent, onItOf } from '@skolo/api/silence';
import { count } from '@skolo/base/count';
import { useState } from 'preact/hooks';
import { openAction } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { Command } from '../parts/command.tsx';
import { Condition } from '../parts/condition.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/router.ts';
import { Since } from '../parts/time.tsx';
import { CycleButton } from '../power/cycle-button.tsx';
import { type Card, cardAbout, cardsOf } from './cards.ts';
import { OnIt } from './on-it.tsx';
import { TileList } from './tile-list.tsx';

/** On a phone, the tiles must stay on the first screen. */
const most = { wide: 9, narrow: 1 };
const mostTiles = { wide: 40, narrow: 10 };

/** Everything that needs attention, before anything else. If something burns, the gravest is wide; the others are one line each. */
export function Attention({
  rack,
  machines,
  about,
}: {
  rack: RackView;
  machines: ReadonlyMap<string, Machine>;
  /** What the link of an alert is about: its card comes first, with details. */
  about: string | undefined;
}) {
  const [isLong, setIsLong] = useState(false);
  const cards = cardsOf(rack, machines);
  const opened = about === undefined ? undefined : cardAbout(about, cards);
  const ordered = opened ? [opened, ...cards.filter((card) => card !== opened)] : cards;
  const limit = most[useIsNarrow() ? 'narrow' : 'wide'];
  const hidden = cards.length - limit;
  const headline = headlineOf([...machines.values()]);
  return (
    <section class="attention" aria-label="Needs attention">
      <h2 class={headline.isBad ? 'bad' : ''}>
        {headline.isWell
          ? cards.length > 0
            ? count(cards.length, 'problem')
            : 'No problems'
          : headline.text}
        {cards.length > 0 && (
          <a class="button" href={hrefOf('visit')} aria-label="List for a site visit">
            List
          </a>
        )}
        {hidden > 0 && (
          <button type="button" aria-expanded={isLong} onClick={() => setIsLong(!isLong)}>
            {isLong ? 'Fewer' : `${hidden} more`}
          </button>
        )}
      </h2>
      {about !== undefined && opened === undefined && (
        <p role="status">
          Nothing about {about} needs attention now.{' '}
          {machines.has(about) ? (
            <a href={hrefOf('machine', [about])}>Go to the machine</a>
          ) : (
            <a href={hrefOf('timeline')}>Go to the timeline</a>
          )}
        </p>
      )}
      {cards.length > 0 && (
        <ul>
          {ordered.slice(0, isLong ? undefined : limit).map((card, at) => (
            <CardView
              key={`${card.href} ${card.names[0]}`}
              card={card}
              isWide={at === 0 && (card === opened || burns(card))}
              isOpen={card === opened}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function burns({ isBad, machines }: Card): boolean {
  return isBad || machines.some(isSilent);
}

function CardView({ card, isWide, isOpen }: { card: Card; isWide: boolean; isOpen: boolean }) {
  const { href, names, isBad, machine, command } = card;
  const classes = ['card', isBad && 'bad', machine && `c-${machine.condition}`];
  const buttons = (
    <div class="buttons">
      <Buttons card={card} />
      {isWide && (
        <details open={isOpen}>
          <summary>why</summary>
          <Why card={card} />
        </details>
      )}
    </div>
  );
  return (
    <li
      class={[...classes, isWide && 'wide', isOpen && 'open'].filter(Boolean).join(' ')}
      aria-current={isOpen ? 'true' : undefined}
    >
      {isWide ? (
        <>
          <p class="line">
            <a href={href}>
              <Sentence card={card} />
            </a>
            <Beside card={card} />
          </p>
          <Tiles card={card} />
          {command && <Command line={command} />}
          {buttons}
        </>
      ) : (
        <details>
          <summary class="line">
            <Sentence card={card} />
            <Beside card={card} />
          </summary>
          <Why card={card} />
          {names[0] && <a href={href}>Go to {names[0]}</a>}
          {command && <Command line={command} />}
          {buttons}
        </details>
      )}
    </li>
  );
}

/** `20 silent · switch-8 is down`; without a number, also why. */
function Sentence({ card: { title, text, machine, machines } }: { card: Card }) {
  const [first, ...others] = title.split(' · ');
  const isCounted = machines.length > 0 && machine === undefined;
  return (
    <span class="sentence">
      <b>{first}</b>
      {others.map((each) => ` · ${each}`)}
      {machine && (
        <>
          {' '}
          <Condition condition={machine.condition} />
        </>
      )}
      {text && !isCounted && (
        <>
          {' '}
          <span class="muted">{text}</span>
        </>
      )}
    </span>
  );
}

/** Who is on it, and since when. */
function Beside({ card: { since, machines } }: { card: Card }) {
  const people = onItOf(machines, since).filter(({ isEarlier }) => !isEarlier);
  return (
    <span class="beside">
      {people.map(({ by }) => `${by} is on it `)}
      {since && <Since time={since} />}
    </span>
  );
}

function Tiles({ card: { machines, filter, machine } }: { card: Card }) {
  const limit = mostTiles[useIsNarrow() ? 'narrow' : 'wide'];
  const silent = machines.filter(isSilent);
  const hidden = silent.length - limit;
  if (machine || silent.length === 0) return null;
  return (
    <div class="dense">
      <TileList machines={silent.slice(0, limit)} isTabStop={false} />
      {hidden > 0 && <a href={hrefOf('rack', [], filter)}>and {hidden} more</a>}
    </div>
  );
}

function Why({ card }: { card: Card }) {
  const { text, machine, reports, alerts } = card;
  return (
    <div class="why">
      <p>{text}</p>
      {machine && <p class="muted">{machine.sentence}</p>}
      {reports.map((report) => (
        <p class="muted" key={report}>
          {report}
        </p>
      ))}
      <Alerts alerts={alerts} />
    </div>
  );
}

function Buttons({ card }: { card: Card }) {
  const { title, since, machine, machines, filter, equipment, isPartial, names } = card;
  return (
    <>
      {filter && (
        <a class="button to-filter" href={hrefOf('rack', [], filter)}>
          {count(machines.length, 'machine')}
        </a>
      )}
      <Incidents machines={machines} />
      {machine && <Repair machine={machine} />}
      {(machine ? [machine.name] : equipment).map((name) => (
        <CycleButton key={name} name={name} of={machine ? '' : name} />
      ))}
      {isPartial && (
        <button
          type="button"
          onClick={() =>
            openAction(
              'cycle',
              machines.map(({ name }) => name),
            )
          }
        >
          Power cycle {count(machines.length, 'machine')}
        </button>
      )}
      {machines.length > 0 && (
        <OnIt what={machine?.name ?? names[0] ?? title} machines={machines} since={since} />
      )}
    </>
  );
}

/** Of several, the page shows them as one. */
function Incidents({ machines }: { machines: readonly Machine[] }) {
  const all = useLive(({ rack }) => rack?.incidents) ?? [];
  const incidents = incidentsOf(machines, all);
  const [first] = incidents;
  if (first === undefined) return null;
  const since = incidents.map((each) => each.since).toSorted()[0];
  return incidents.length === 1 ? (
    <a class="button" href={hrefOf('incident', [first.id])}>
      Incident
    </a>
  ) : (
    <a class="button" href={hrefOf('incident', ['all'], { since })}>
      {incidents.length} incidents
    </a>
  );
}

function Repair({ machine: { name, condition, devices } }: { machine: Machine }) {
  const hasSteps = devices.some(({ repairSteps = [] }) => repairSteps.length > 0);
  if (!hasSteps || isSilent({ condition })) return null;
  return (
    <button
      type="button"
      aria-label={`Repair step of ${name}`}
      onClick={() => openAction('repair', [name])}
    >
      Repair step
    </button>
  );
}

/** Each kind once, such as `MachineGone ×12`, with its first command. */
function Alerts({ alerts }: { alerts: readonly MachineAlert[] }) {
  const kinds = [...Map.groupBy(alerts, ({ name }) => name).values()].flatMap(
    ([first, ...others]) =>
      first ? [{ ...first, times: others.length > 0 ? ` ×${others.length + 1}` : '' }] : [],
  );
  return (
    <>
      {kinds.map(({ name, times, summary, since, firstCommand }) => (
        <div key={name}>
          <p>
            <a href={hrefOf('alerts', [], { text: name })}>{name}</a>
            {times} <Since time={since} />
          </p>
          <p>{summary}</p>
          {firstCommand && <Command line={firstCommand} />}
        </div>
      ))}
    </>
  );
}
