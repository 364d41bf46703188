/**
 * What simulated machines do all day: they run tasks, and occasionally something fails. Some have their own character. Pure except for
 * {@link live}, which advances all of them.
 */
import type { SimulatedMachine } from '@skolo/simulators';

/** `flaps`: a loose cable; `drains`: an old battery; `broken`: needs attention. */
export type Character = 'usual' | 'flaps' | 'drains' | 'broken';

export interface Life {
  character: Character;
  /** Milliseconds since 1970, like all times here. */
  bornAt: number;
  task: { id: string; since: number; until: number } | undefined;
  nextTaskAt: number;
  batteryPercent: number;
  /** When it loses its phone, if it is an ordinary one. */
  losesAt: number;
  /** Set while the battery is too low for tasks, until it is charged. */
  chargingSince: number | undefined;
  /** Its phone is missing until then. */
  lost: { since: number; until: number } | undefined;
}

/**
 * The demo's rack has its faults in the first twenty minutes: each machine at most two, fewer than machine-state calls flapping. After
 * that, a colleague has fixed what nobody else has, so that each later fault is yours.
 */
const mendedAfterMs = 20 * 60_000;
/** A switch hangs, with all of its machines, until its outlet is cycled. */
const wedgesAfterMs = 5 * 60_000;
/** Then the old battery is replaced. */
const oldBatteryMs = 6 * 60_000;
/** Like the agent's default thresholds. */
const lowPercent = 30;
const goodPercent = 60;
/** A good battery lasts for any task, and charges between two of them. */
const leastGoodPercent = 50;
/** How long the phone with the loose cable is missing, and present, in turn. */
const flapMs = 40_000;
const mostFlaps = 2;
/** A machine loses its phone once, at one of these times. */
const lostWithinMs = 18 * 60_000;

export function newLife(character: Character, now: number, random: () => number): Life {
  return {
    character,
    bornAt: now,
    task: undefined,
    nextTaskAt: now + random() * 20_000,
    batteryPercent: character === 'drains' ? 38 : 70 + Math.floor(random() * 30),
    losesAt: character === 'drains' ? Number.POSITIVE_INFINITY : now + random() * lostWithinMs,
    chargingSince: undefined,
    lost: undefined,
  };
}

/** Its state after another `ms`. */
export function nextLife(life: Life, now: number, ms: number, random: () => number): Life {
  const next = { ...life };
  if (life.task && life.task.until <= now) {
    next.task = undefined;
    next.nextTaskAt = now + 2000 + random() * 13_000;
  }
  const isOld = life.character === 'drains' && now - life.bornAt < oldBatteryMs;
  const perMinute = (isOld ? 12 : 2) * (life.task ? 1 : -2);
  const least = isOld ? 3 : leastGoodPercent;
  next.batteryPercent = Math.min(
    100,
    Math.max(least, life.batteryPercent - (perMinute * ms) / 60_000),
  );
  if (next.batteryPercent < lowPercent) next.chargingSince ??= now;
  if (next.batteryPercent >= goodPercent) next.chargingSince = undefined;
  next.lost = lostAt(life, now, random);
  if (next.lost) next.losesAt = Number.POSITIVE_INFINITY;
  const canWork = !next.chargingSince && !next.lost;
  // A task continues without its phone: it fails by itself.
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

function lostAt(life: Life, now: number, random: () => number): Life['lost'] {
  const { character, bornAt, lost, losesAt } = life;
  if (lost) return lost.until > now ? lost : undefined;
  const age = now - bornAt;
  if (age >= mendedAfterMs) return undefined;
  if (character === 'broken') return { since: bornAt, until: bornAt + mendedAfterMs };
  if (character === 'flaps') {
    const half = Math.floor(age / flapMs);
    const isOff = half % 2 === 1 && half < 2 * mostFlaps;
    return isOff ? { since: now, until: bornAt + (half + 1) * flapMs } : undefined;
  }
  if (losesAt > now) return undefined;
  return { since: now, until: now + 30_000 + random() * 60_000 };
}

/** Whether the switch that hangs once does so at this time after the demo's start. */
export function isWedged(sinceStartMs: number): boolean {
  return sinceStartMs >= wedgesAfterMs && sinceStartMs < mendedAfterMs;
}

/** Applies a life to the machine: its task, its phones and its agent's reports. `wallClock`: of the times of its life. */
export function live(
  life: Life,
  machine: SimulatedMachine,
  wallClock = (time: number) => time,
): void {
  const { task, lost, chargingSince, batteryPercent, character, bornAt } = life;
  for (const phone of machine.phones) phone.works = lost === undefined;
  const device = machine.phones[0]?.name;
  if (device === undefined) return;
  const iso = (time: number) => new Date(wallClock(time)).toISOString();
  machine.task = task ? { running: true, id: task.id, since: iso(task.since) } : { running: false };
  machine.report = {
    reasons: [
      ...(lost && character === 'broken'
        ? [
            {
              verdict: 'quarantined' as const,
              code: 'gave-up',
              device,
              since: iso(bornAt),
              text: 'missing; repair gave up after 3 rounds: look at its cable',
            },
          ]
        : []),
      ...(lost && character !== 'broken'
        ? [
            {
              verdict: 'recovering' as const,
              code: 'missing',
              device,
              since: iso(lost.since),
              text: 'missing',
            },
          ]
        : []),
      ...(chargingSince && !lost
        ? [
            {
              verdict: 'recovering' as const,
              code: 'battery-low',
              device,
              text: `battery low: ${Math.round(batteryPercent)}%`,
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
