import { expect, it } from 'vitest';
import { count } from './count.ts';

it('counts', () => {
  expect([0, 1, 2].map((number) => count(number, 'phone'))).toEqual([
    '0 phones',
    '1 phone',
    '2 phones',
  ]);
  expect(count(2, 'entry', 'entries')).toBe('2 entries');
});
