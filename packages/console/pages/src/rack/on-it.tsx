import type { Machine } from '@skolo/api/machine-state';
import { incidentsOf, isSilent, onItOf, type OnIt as Person } from '@skolo/api/silence';
import { powerCycleDaemon } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';
import { Attempt, End } from '../parts/load.tsx';
import { At, Until } from '../parts/time.tsx';

const mostMs = 4 * 3_600_000;
const mostLetters = 100;

/**
 * Shows everybody who is working on a problem, and a button to say so. That keeps automatic repair and others' power cycles off, and takes no
 * machine out of service.
 */
export function OnIt({
  what,
  machines,
  since,
  incident,
}: {
  what: string;
  machines: readonly Machine[];
  /** When the incident began. */
  since?: string | undefined;
  /** ID of the incident that the page shows. */
  incident?: string | undefined;
}) {
  const session = useLive((live) => live.session);
  const all = useLive((live) => live.machines);
  const incidents = useLive(({ rack }) => rack?.incidents) ?? [];
  const isAllowed = mayOperate(session);
  const now = machines.map((machine) => all.get(machine.name) ?? machine);
  const people = onItOf(now, since);
  const isOnIt = people.some(({ by, isEarlier }) => by === session?.name && !isEarlier);
  async function begin() {
    const targets = machines.map(({ name }) => name);
    const until = new Date(Date.now() + mostMs).toISOString();
    // Of silent machines, their incident; of others, what the problem is about.
    const [own] = incidentsOf(now, incidents);
    const id = incident ?? own?.id ?? what.slice(0, mostLetters);
    const body = { kind: 'on-it', incident: id, targets, reason: `on it: ${what}`, until } as const;
    return powerCycleDaemon.hold({ body });
  }
  return (
    <div class="on-it">
      {people.map((person) => (
        <p class="muted" key={person.ids[0]}>
          <Line person={person} machines={now} />{' '}
          <End of={`${person.by} is on it`} run={() => end(person)} />
        </p>
      ))}
      {people.length === 0 && !isAllowed && <p class="muted">nobody is on it</p>}
      {!isOnIt && (
        <Attempt
          text="I am on it"
          label={`I am on it: ${what}`}
          title="Shows your name for 4 hours: automatic repair waits, others are asked before they power-cycle, and new tasks start"
          run={begin}
        />
      )}
    </div>
  );
}

/** `ann is on it until 19:34:05 · 4 h`; of another incident `12 of 41 held by ann since 19:34:05 (switch-2)`. */
function Line({ person, machines }: { person: Person; machines: readonly Machine[] }) {
  const { by, since, until, incident = '', isEarlier } = person;
  if (isEarlier) {
    return (
      <>
        {person.machines} of {machines.length} held by {by} since <At time={since} /> ({incident})
      </>
    );
  }
  const cycling = machines.filter(({ power }) => power?.cycle).length;
  const back = machines.filter((machine) => !isSilent(machine)).length;
  const isPartly = person.machines < machines.length;
  return (
    <>
      {isPartly ? `${person.machines} of ${machines.length}: ` : ''}
      {by} is on it <Until time={until} />
      {cycling > 0 && `; ${cycling} are being power-cycled, ${back} are back`}
    </>
  );
}

async function end({ ids }: Person) {
  for (const id of ids) await powerCycleDaemon.release({ params: { id } });
}
