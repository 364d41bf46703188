import { headlineOf } from '@skolo/api/headline';
import type { Machine, MachineAlert, RackView } from '@skolo/api/machine-state';
import { isSilent } from '@skolo/api/silence';
import { count } from '@skolo/base/count';
import { useState } from 'preact/hooks';
import { openAction } from '../actions/host.tsx';
import { Command } from '../parts/command.tsx';
import { Condition } from '../parts/condition.tsx';
import { useIsNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/router.ts';
import { Since } from '../parts/time.tsx';
import { CycleButton } from '../power/cycle-button.tsx';
import { type Card, cardAbout, cardsOf } from './cards.ts';
import { OnIt } from './on-it.tsx';

/** Two rows on a laptop; on a phone, the tiles must stay on the first screen. */
const most = { wide: 8, narrow: 1 };

/** Everything that needs attention, before anything else: the rack itself, common causes, then single machines. */
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
          )}{' '}
          or to <a href={hrefOf('incident', [about])}>its last incident</a>
        </p>
      )}
      {cards.length > 0 && (
        <ul>
          {ordered.slice(0, isLong ? undefined : limit).map((card) => (
            <CardView key={`${card.title} ${card.names[0]}`} card={card} isOpen={card === opened} />
          ))}
        </ul>
      )}
    </section>
  );
}

function CardView({ card, isOpen }: { card: Card; isOpen: boolean }) {
  const { title, href, isBad, since, text, machine, machines, filter, alerts, reports } = card;
  const { equipment, isPartial, command, names } = card;
  const classes = ['card', isBad && 'bad', machine && `c-${machine.condition}`, isOpen && 'open'];
  return (
    <li class={classes.filter(Boolean).join(' ')} aria-current={isOpen ? 'true' : undefined}>
      <p>
        <a href={href}>{title}</a>
        {since && <Since time={since} />}
      </p>
      <p title={text}>{text}</p>
      {machine && (
        <p class="muted" title={machine.sentence}>
          <Condition condition={machine.condition} /> {machine.sentence}
        </p>
      )}
      {(isOpen ? reports : reports.slice(0, 1)).map((report) => (
        <p class="muted" key={report} title={report}>
          {report}
        </p>
      ))}
      {alerts.length > 0 && <Alerts alerts={alerts} isOpen={isOpen} />}
      {command && <Command line={command} />}
      <div class="buttons">
        {filter && (
          <a
            class={machines.some(isSilent) ? 'button to-filter' : 'button'}
            href={hrefOf('rack', [], filter)}
          >
            {count(machines.length, 'machine')}
          </a>
        )}
        {machines.some(isSilent) && (
          <a class="button" href={hrefOf('incident', [names[0] ?? machines[0]?.name ?? 'last'])}>
            Incident
          </a>
        )}
        {machine && <Repair machine={machine} />}
        {(machine ? [machine.name] : equipment).map((name) => (
          <CycleButton key={name} name={name} of={equipment.length > 1 ? name : ''} />
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
      </div>
    </li>
  );
}

function Repair({ machine: { name, condition, devices } }: { machine: Machine }) {
  const hasSteps = devices.some(({ repairSteps = [] }) => repairSteps.length > 0);
  if (!hasSteps || isSilent({ condition })) return null;
  return (
    <button type="button" onClick={() => openAction('repair', [name])}>
      Repair step
    </button>
  );
}

/** `MachineGone ×12, SwitchDown`; if open, each with its first command. */
function Alerts({ alerts, isOpen }: { alerts: readonly MachineAlert[]; isOpen: boolean }) {
  const kinds = [...Map.groupBy(alerts, ({ name }) => name).values()].flatMap(
    ([first, ...others]) =>
      first ? [{ ...first, times: others.length > 0 ? ` ×${others.length + 1}` : '' }] : [],
  );
  if (!isOpen)
    return <p class="muted">{kinds.map(({ name, times }) => name + times).join(', ')}</p>;
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
