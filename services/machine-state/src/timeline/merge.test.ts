import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { grouped, mergeEvents, type TimelineEvent } from './merge.ts';

const minute = 60_000;

function event(id: string, at: number, more: Partial<TimelineEvent> = {}): TimelineEvent {
  return { id, at, kind: 'silent', group: 'switch-2', text: 'silent', names: [id], ...more };
}

const anyEvent = fc.record({
  id: fc.constantFrom(...'abcdefghij'),
  at: fc.integer({ min: 0, max: 5 * minute }),
  kind: fc.constantFrom('silent', 'cycle', 'sign-in'),
  group: fc.constantFrom('switch-1', 'switch-2'),
  text: fc.string(),
  names: fc.array(fc.string()),
});
const events = fc.array(anyEvent);

it('loses no event, repeats none, and keeps their order', () => {
  fc.assert(
    fc.property(events, (all) => {
      const groups = grouped(all);

      const ids = groups.flat().map(({ id }) => id);
      expect(ids.toSorted()).toEqual([...new Set(all.map(({ id }) => id))].sort());
      const starts = groups.map(([first]) => first?.at ?? Number.NaN);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      for (const group of groups) {
        const [first] = group;
        expect(new Set(group.map(({ kind, group: cause }) => `${kind} ${cause}`)).size).toBe(1);
        const span = (group.at(-1)?.at ?? 0) - (first?.at ?? 0);
        expect(span).toBeGreaterThanOrEqual(0);
        expect(span).toBeLessThanOrEqual(first?.kind === 'sign-in' ? 60 * minute : minute);
      }
    }),
    runs(200),
  );
});

it('does not depend on the order of the sources', () => {
  const unique = fc.uniqueArray(anyEvent, { selector: ({ id }) => id });
  const shuffled = unique.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      expect(grouped(other)).toEqual(grouped(one));
    }),
    runs(100),
  );
});

it('folds what belongs together, and counts its outcomes', () => {
  const cycle = (id: string, at: number, state: string, endedAt?: number): TimelineEvent =>
    event(id, at, { kind: 'cycle', group: 'ann', text: 'power cycle by ann', state, endedAt });
  const { rows } = mergeEvents(
    [
      cycle('rpi-001', 0, 'back', 90_000),
      cycle('rpi-002', 1000, 'failed', 120_000),
      cycle('rpi-003', 2000, 'back', 60_000),
      cycle('rpi-004', 2 * minute, 'running'),
    ],
    10,
  );

  expect(rows).toMatchObject([
    {
      at: '1970-01-01T00:00:00.000Z',
      endedAt: '1970-01-01T00:02:00.000Z',
      text: 'power cycle by ann; 2 back, 1 failed',
      where: 'rpi-[001-003] (3)',
    },
    { text: 'power cycle by ann; running', where: 'rpi-004' },
  ]);
  expect(rows[1]).not.toHaveProperty('endedAt');
});

it('shows the last report of an event, the most complete text of a cause, and the newest rows', () => {
  const all = [
    event('rpi-1', 0, { text: 'silent: 3 of 16' }),
    event('rpi-2', 500, { text: 'silent: 4 of 16' }),
    event('alone', minute, { group: '', text: 'silent: no route', shared: 'silent' }),
    event('alone', minute, { group: '', text: 'silent: it has no power', shared: 'silent' }),
    event('other', minute, { group: '', text: 'silent: refused', shared: 'silent' }),
  ];

  const { rows } = mergeEvents(all, 10);

  expect(rows.map(({ text, where }) => `${text}, ${where}`)).toEqual([
    'silent: 4 of 16, rpi-[1-2] (2)',
    'silent, alone,other (2)',
  ]);
  expect(mergeEvents(all, 1)).toMatchObject({ rows: [{ text: 'silent' }], truncated: true });
});
