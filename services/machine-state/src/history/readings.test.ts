import { expect, it } from 'vitest';
import { unpackPoints } from './points.ts';
import { Readings } from './readings.ts';

const now = Date.parse('2026-11-20T12:00:00Z');

it('draws no point of now for a figure that could not be read', () => {
  const readings = new Readings();
  const [readAt, earlier] = ['2026-11-20T12:00:00Z', '2026-11-20T11:00:00Z'];
  const figures = { batteryPercent: 7, temperaturesCelsius: { skin: 31 }, readAt };
  const device = (name: string, more: object) => ({
    name,
    state: 'present' as const,
    ...figures,
    ...more,
  });

  readings.note(
    {
      name: 'rpi-1',
      devices: [
        device('new', { batteryAt: readAt, temperaturesAt: readAt }),
        device('old', { batteryAt: earlier, temperaturesAt: earlier }),
        device('of an agent that does not report ages', {}),
      ],
    },
    now,
  );

  const drawn = readings
    .takeUnwritten()
    .map(({ device: name, hour, points }) => [
      name,
      unpackPoints(hour, points).map(({ quantity }) => quantity),
    ]);
  expect(drawn).toEqual([
    ['new', ['battery', 'skin']],
    ['of an agent that does not report ages', ['battery', 'skin']],
  ]);
});
