import { describe, expect, it } from 'vitest';
import { type Character, isWedged, type Life, newLife, nextLife } from './lives.ts';

const stepMs = 1000;
const start = Date.UTC(2026, 10, 22);
const minute = 60;

/** The same numbers in each run: a linear congruential generator. */
function numbers(seed = 42): () => number {
  let last = seed;
  return () => {
    last = (last * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return last / 2 ** 32;
  };
}

/** An hour of a machine, second by second. */
function hourOf(character: Character, seed?: number): Life[] {
  const random = numbers(seed);
  const hour = [newLife(character, start, random)];
  for (let second = 1; second <= 60 * minute; second += 1) {
    hour.push(nextLife(hour.at(-1) as Life, start + second * stepMs, stepMs, random));
  }
  return hour;
}

const canWork = ({ lost, chargingSince }: Life) => !lost && !chargingSince;
const changesOf = (hour: Life[]) =>
  hour.filter((life, second) => second > 0 && canWork(life) !== canWork(hour[second - 1] as Life))
    .length;

describe('a simulated machine', () => {
  it('runs tasks for most of an hour, one after the other', () => {
    const hour = hourOf('usual');

    expect(hour.filter(({ task }) => task).length).toBeGreaterThan(2000);
    expect(new Set(hour.map(({ task }) => task?.id)).size).toBeGreaterThan(20);
  });

  it('with an old battery charges before it takes another task', () => {
    const hour = hourOf('drains');
    const begins = hour.filter((life, second) => life.task && !hour[second - 1]?.task);

    expect(hour.some(({ chargingSince }) => chargingSince)).toBe(true);
    expect(begins.every(({ chargingSince }) => chargingSince === undefined)).toBe(true);
  });

  it('with a loose cable loses its phone twice', () => {
    const hour = hourOf('flaps');

    const losses = hour.filter(({ lost }, second) => lost && !hour[second - 1]?.lost);
    expect(losses).toHaveLength(2);
  });

  it('that is broken takes no task until it is mended', () => {
    const hour = hourOf('broken');

    expect(hour.slice(0, 20 * minute).some(({ task }) => task)).toBe(false);
    expect(hour.slice(25 * minute).some(({ task }) => task)).toBe(true);
  });

  // machine-state lists a machine with six changes within an hour, and a machine behind the switch that wedges has three more.
  it.each(['usual', 'flaps', 'drains', 'broken'] as const)(
    'is healthy after half an hour, and did not flap before: %s',
    (character) => {
      for (let seed = 1; seed <= 50; seed += 1) {
        const hour = hourOf(character, seed);

        expect(hour.slice(25 * minute).every(canWork)).toBe(true);
        expect(changesOf(hour)).toBeLessThan(character === 'usual' ? 3 : 6);
      }
    },
  );
});

it('the switch that wedges is mended within half an hour', () => {
  expect([1, 6, 19, 21, 30, 600].map((minutes) => isWedged(minutes * 60_000))).toEqual([
    ...[false, true, true, false, false, false],
  ]);
});
