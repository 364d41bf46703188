import type { Machine, RackView } from '@skolo/api/machine-state';
import { beganAt, recentlySilent } from '@skolo/api/silence';
import { count } from '@skolo/base/count';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Condition } from '../parts/condition.tsx';
import { MachineLink } from '../parts/links.tsx';
import { hrefOf } from '../parts/router.ts';
import { Ago, At } from '../parts/time.tsx';
import { OnIt } from './on-it.tsx';

/** Two rows on a laptop. */
const most = 8;

/** Everything that needs attention, before anything else: common causes, then the rack itself, then single machines. */
export function Attention({
  rack,
  machines,
}: {
  rack: RackView;
  machines: ReadonlyMap<string, Machine>;
}) {
  const waiting = needingAttention(machines.values());
  const ofRack = [
    ...cardsOfRack(rack, machines),
    ...cardOfSilent(recentlySilent(machines.values())),
  ];
  const [isLong, setIsLong] = useState(false);
  const hidden = ofRack.length + waiting.length - most;
  const shown = isLong ? waiting : waiting.slice(0, most);
  const cards = [
    ...ofRack,
    ...shown.map((machine) => <Person key={machine.name} machine={machine} />),
  ];
  const people = `${count(waiting.length, 'machine needs', 'machines need')} attention`;
  return (
    <section class="attention" aria-label="Needs attention">
      <h2>
        {waiting.length > 0 ? people : 'No machine needs attention'}
        {waiting.length > 0 && <a href={hrefOf('visit')}>List for a site visit</a>}
        {hidden > 0 && (
          <button type="button" aria-expanded={isLong} onClick={() => setIsLong(!isLong)}>
            {isLong ? 'Fewer' : `${hidden} more`}
          </button>
        )}
      </h2>
      {cards.length > 0 && <ul>{isLong ? cards : cards.slice(0, most)}</ul>}
    </section>
  );
}

/** Longest waiting first. */
export function needingAttention(machines: Iterable<Machine>): Machine[] {
  return [...machines]
    .filter(({ needsAttention }) => needsAttention !== undefined)
    .sort((one, other) => (beganAt(one) ?? '').localeCompare(beganAt(other) ?? ''));
}

function cardsOfRack(
  { rackFile, causes, elements, alerts, alertPath, services }: RackView,
  all: ReadonlyMap<string, Machine>,
) {
  const failing = services.filter(({ ready, degraded }) => !ready || degraded.length > 0);
  return [
    ...cardsOfAlertPath(alertPath),
    ...rackFile.problems
      .slice(0, 1)
      .map((problem) => (
        <Card
          key="rack.yaml"
          isBad
          href={hrefOf('rack-file')}
          title="rack.yaml was rejected"
          text={problem}
        />
      )),
    ...causes.map(({ what, kind, text, since, machines }) => (
      <Card
        key={`${kind} ${what}`}
        isBad
        href={hrefOf('rack', [], kind === 'element' ? { port: what } : { cause: what })}
        title={what}
        since={since}
        text={text}
        lastAnswer={since}
        more={<a href={hrefOf('rack', [], { cause: what })}>{count(machines.length, 'machine')}</a>}
        onIt={<OnIt what={what} machines={machines.flatMap((each) => all.get(each) ?? [])} />}
      />
    )),
    ...elements
      .filter(({ name, state }) => state === 'down' && !causes.some(({ what }) => what === name))
      .map(({ name, why, since }) => (
        <Card
          key={name}
          isBad
          href={hrefOf('rack', [], { port: name })}
          title={`${name} is down`}
          since={since}
          text={why}
        />
      )),
    ...alerts.map(({ name, summary, since }) => (
      <Card
        key={`${name} ${since}`}
        href={hrefOf('alerts')}
        title={name}
        since={since}
        text={summary}
      />
    )),
    ...failing.map(({ name, ready, why, degraded: [first] }) => (
      <Card
        key={name}
        isBad={!ready}
        href={hrefOf('services')}
        title={`${name}: ${ready ? 'degraded' : 'not ready'}`}
        since={first?.since}
        text={why ?? (first && `${first.what}: ${first.why}`)}
      />
    )),
  ];
}

/** What nobody has to deal with yet, because most machines come back within minutes. */
function cardOfSilent(silent: readonly Machine[]) {
  const [first] = silent;
  if (first === undefined) return [];
  const names = silent.map(({ name }) => name).join(', ');
  return [
    <Card
      key="silent"
      href={hrefOf('rack', [], { condition: 'stale' })}
      title={`${count(silent.length, 'machine is', 'machines are')} silent`}
      since={first.lastSeen}
      text={silent.length > 1 ? `${names}; they share no cause` : names}
      lastAnswer={first.lastSeen}
    />,
  ];
}

function cardsOfAlertPath(path: RackView['alertPath']) {
  if (path === undefined || path.state === 'delivered') return [];
  const isBad = path.state !== 'not confirmed';
  const title = `Alerts ${path.state}`;
  return [
    <Card key="alerts" isBad={isBad} href={hrefOf('alerts')} title={title} text={path.text} />,
  ];
}

function Card({
  href,
  title,
  since,
  text,
  more,
  lastAnswer,
  onIt,
  isBad,
}: {
  href: string;
  title: string;
  since?: string | undefined;
  text: string | undefined;
  more?: ComponentChildren;
  lastAnswer?: string | undefined;
  onIt?: ComponentChildren;
  isBad?: boolean;
}) {
  return (
    <li class={`card ${isBad ? 'bad' : ''}`}>
      <p>
        <a href={href}>{title}</a>
        {since && <Ago time={since} />}
      </p>
      <p title={text}>{text}</p>
      {lastAnswer && (
        <p class="muted">
          last answer <At time={lastAnswer} />
        </p>
      )}
      {more && <p>{more}</p>}
      {onIt}
    </li>
  );
}

function Person({ machine }: { machine: Machine }) {
  const { name, condition, needsAttention, sentence } = machine;
  return (
    <li class={`card c-${condition}`}>
      <p>
        <MachineLink name={name} />
        <Ago time={beganAt(machine)} />
      </p>
      <p title={needsAttention}>{needsAttention}</p>
      <p class="muted" title={sentence}>
        <Condition condition={condition} /> {sentence}
      </p>
      <OnIt what={needsAttention ?? name} machines={[machine]} />
    </li>
  );
}
