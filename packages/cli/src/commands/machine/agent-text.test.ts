import { expect, it } from 'vitest';
import { deviceColumn } from './agent-text.ts';

it('counts the phones of a machine that are not shown, and is red if one of them is missing', () => {
  const phones = Array.from({ length: 12 }, (_, i) => ({
    name: `phone-${i + 1}`,
    state: i === 11 ? ('missing' as const) : ('present' as const),
  }));
  const column = deviceColumn((row: typeof phones) => row);

  expect(column.cell(phones, 0)).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `phone-${number}:present`),
    '4 more',
  ]);
  expect(column.style?.(phones, 0)).toBe('red');
});
