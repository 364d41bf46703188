import { describe, expect, it } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { Challenges } from './challenges.ts';

function start() {
  const clock = fakeClock(0);
  return { clock, challenges: new Challenges(clock) };
}

describe('challenges', () => {
  it('are given to strangers without end, each another one, and none is remembered', () => {
    const { challenges } = start();
    const before = fieldsOf(challenges);

    const seen = new Set(Array.from({ length: 10_000 }, () => challenges.issue()));

    expect(seen.size).toBe(10_000);
    // Each proves itself what it is.
    expect(fieldsOf(challenges)).toBe(before);
    expect([...seen].slice(0, 100).map((each) => challenges.whyNot(each, 'rpi-1'))).toEqual(
      Array(100).fill(undefined),
    );
  });

  it('are valid once, and for 60 s of uptime', () => {
    const { challenges, clock } = start();
    const [one, other] = [challenges.issue(), challenges.issue()];

    challenges.use(one, 'rpi-1');
    clock.pass(60_000);
    clock.setWall(0);

    expect(challenges.whyNot(one, 'rpi-1')).toBe('the challenge has already been used');
    expect(challenges.whyNot(other, 'rpi-1')).toBeUndefined();
    clock.pass(1);
    expect(challenges.whyNot(other, 'rpi-1')).toBe('the challenge is older than 60 s');
  });

  it('are of one start of the agent, and cannot be made up', () => {
    const [first, second] = [start().challenges, start().challenges];
    const issued = first.issue();

    for (const made of [
      issued,
      '',
      'A',
      'A'.repeat(43),
      `${first.issue()}A`,
      first.issue().slice(1),
    ]) {
      expect(second.whyNot(made, 'rpi-1')).toBe(
        'this program has not issued the challenge since it last started',
      );
    }
    expect(first.whyNot(issued, 'rpi-1')).toBeUndefined();
  });

  it('are remembered when they were used: so many, and none is forgotten while it is valid', () => {
    const { challenges, clock } = start();
    const used = Array.from({ length: 1000 }, () => challenges.issue());
    for (const each of used) challenges.use(each, 'rpi-1');

    expect(() => challenges.use(challenges.issue(), 'rpi-1')).toThrow(
      'more than 1000 signed requests within a minute; send fewer',
    );
    // Another machine that signs for itself is not concerned.
    challenges.use(challenges.issue(), 'rpi-2');
    expect(used.every((each) => challenges.whyNot(each, 'rpi-1') !== undefined)).toBe(true);
    clock.pass(61_000);
    challenges.use(challenges.issue(), 'rpi-1');
    expect(fieldsOf(challenges)).toBeLessThan(5);
  });
});

/** Entries in all maps and lists that it keeps. */
function fieldsOf(challenges: Challenges): number {
  const sizeOf = (value: unknown): number =>
    value instanceof Map ? [...value.values()].reduce((sum, each) => sum + sizeOf(each), 0) : 1;
  return Object.values(challenges).reduce((sum, value) => sum + sizeOf(value), 0);
}
