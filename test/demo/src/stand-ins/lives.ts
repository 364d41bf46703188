/**
 * What simulated machines do all day: they run tasks, and now and then something fails. Some have a character of their own.
 * Pure but for {@link live}, which takes a step of all of them.
 */
import type { SimulatedMachine } from '@skolo/simulators';

/** `flaps`: its phone comes and goes; `drains`: an old battery; `broken`: needs a person. */
export type Character = 'usual' | 'flaps' | 'drains' | 'broken';

export interface Life {
  character: Character;
  /** Milliseconds since 1970, as all times here. */
  bornAt: number;
  task: { id: string; since: number; until: number } | undefined;
  nextTaskAt: number;
  batteryPercent: number;
  /** Set while the battery is too low for tasks, until it is charged. */
  chargingSince: number | undefined;
  /** Its phone is lost until then. */
  lost: { since: number; until: number } | undefined;
}

/** As the agent's usual thresholds. */
const lowPercent = 30;
const goodPercent = 60;
const flapMs = 40_000;
/** On average a phone is lost once in that time. */
const lostEveryMs = 20 * 60_000;

export function newLife(character: Character, now: number, random: () => number): Life {
  return {
    character,
    bornAt: now,
    task: undefined,
    nextTaskAt: now + random() * 20_000,
    batteryPercent: character === 'drains' ? 38 : 70 + Math.floor(random() * 30),
    chargingSince: undefined,
    lost: undefined,
  };
}

/** What has become of it after `ms` more. */
export function nextLife(life: Life, now: number, ms: number, random: () => number): Life {
  const next = { ...life };
  if (life.task && life.task.until <= now) {
    next.task = undefined;
    next.nextTaskAt = now + 2000 + random() * 13_000;
  }
  const perMinute = drain(life) * (life.task ? 1 : -2);
  next.batteryPercent = Math.min(100, Math.max(3, life.batteryPercent - (perMinute * ms) / 60_000));
  if (next.batteryPercent < lowPercent) next.chargingSince ??= now;
  if (next.batteryPercent >= goodPercent) next.chargingSince = undefined;
  next.lost = lostAt(life, now, ms, random);
  const canWork = !next.chargingSince && !next.lost && life.character !== 'broken';
  // A task goes on without its phone: it fails by itself.
  if (!next.task && canWork && next.nextTaskAt <= now) {
    const id = Math.floor(random() * 0xffffffff).toString(16);
    next.task = {
      id: `${id.padStart(8, '0')}10`,
      since: now,
      until: now + 20_000 + random() * 90_000,
    };
  }
  return next;
}

/** Percent a minute while a task runs. */
function drain({ character }: Life): number {
  return character === 'drains' ? 12 : 2;
}

function lostAt(life: Life, now: number, ms: number, random: () => number): Life['lost'] {
  if (life.lost) return life.lost.until > now ? life.lost : undefined;
  if (life.character === 'broken') return { since: life.bornAt, until: Number.POSITIVE_INFINITY };
  if (life.character === 'flaps') {
    const isOff = Math.floor((now - life.bornAt) / flapMs) % 2 === 1;
    return isOff ? { since: now, until: now + flapMs / 2 } : undefined;
  }
  const isLost = random() < ms / lostEveryMs;
  return isLost ? { since: now, until: now + 30_000 + random() * 60_000 } : undefined;
}

/** Shows a life in the machine: its task, its phones and what its agent reports. */
export function live(life: Life, machine: SimulatedMachine): void {
  const { task, lost, chargingSince, batteryPercent, character, bornAt } = life;
  for (const phone of machine.phones) phone.works = lost === undefined;
  const device = machine.phones[0]?.name;
  if (device === undefined) return;
  const iso = (time: number) => new Date(time).toISOString();
  machine.task = task ? { running: true, id: task.id, since: iso(task.since) } : { running: false };
  machine.report = {
    reasons: [
      ...(lost && character === 'broken'
        ? [
            {
              ...{ verdict: 'quarantined' as const, code: 'gave-up', device, since: iso(bornAt) },
              text: 'missing; repair gave up after 3 rounds: look at its cable',
            },
          ]
        : []),
      ...(lost && character !== 'broken'
        ? [
            {
              ...{
                verdict: 'recovering' as const,
                code: 'missing',
                device,
                since: iso(lost.since),
              },
              text: 'missing',
            },
          ]
        : []),
      ...(chargingSince && !lost
        ? [
            {
              ...{ verdict: 'recovering' as const, code: 'battery-low', device },
              text: `battery low: ${Math.round(batteryPercent)} %`,
              since: iso(chargingSince),
            },
          ]
        : []),
    ],
    phones: {
      [device]: {
        batteryPercent: Math.round(batteryPercent),
        temperaturesCelsius: { battery: Math.round((task ? 33 : 27) + batteryPercent / 50) },
      },
    },
    repairs:
      lost && character !== 'broken'
        ? [{ at: iso(lost.since), device, round: 1, step: 'adb-reconnect', outcome: 'failed' }]
        : [],
  };
}
