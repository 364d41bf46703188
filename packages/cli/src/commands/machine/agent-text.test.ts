import { expect, it } from 'vitest';
import { deviceColumn, figuresOf } from './agent-text.ts';

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

it('shows the age of a figure that could not be read any more', () => {
  const readAt = '2026-11-20T12:30:00Z';
  const device = {
    ...{ name: 'phone', state: 'present' as const, readAt },
    ...{ batteryPercent: 7, temperaturesCelsius: { skin: 31, battery: 28 } },
  };
  const now = Date.parse('2026-11-20T12:30:10Z');

  const temperaturesAt = '2026-11-20T12:00:10Z';
  expect(figuresOf({ ...device, batteryAt: readAt, temperaturesAt }, now)).toEqual({
    battery: ['7%'],
    heat: ['31 °C (30 min ago)'],
  });
  expect(figuresOf(device, now)).toEqual({ battery: ['7%'], heat: ['31 °C'] });
});
