import { describe, expect, it } from 'vitest';
import { type Character, type Life, newLife, nextLife } from './lives.ts';

const stepMs = 1000;
const start = Date.UTC(2026, 10, 22);

/** The same numbers in each run: a linear congruential generator. */
function numbers(): () => number {
  let last = 42;
  return () => {
    last = (last * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return last / 2 ** 32;
  };
}

/** An hour of a machine. */
function hourOf(character: Character): Life[] {
  const random = numbers();
  const hour = [newLife(character, start, random)];
  for (let second = 1; second <= 3600; second += 1) {
    hour.push(nextLife(hour.at(-1) as Life, start + second * stepMs, stepMs, random));
  }
  return hour;
}

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

  it('with a loose cable loses its phone again and again', () => {
    const hour = hourOf('flaps');

    const losses = hour.filter(({ lost }, second) => lost && !hour[second - 1]?.lost);
    expect(losses.length).toBeGreaterThan(10);
  });

  it('that is broken takes no task', () => {
    expect(hourOf('broken').some(({ task }) => task)).toBe(false);
  });
});
