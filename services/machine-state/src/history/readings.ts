/** Readings of devices in the present hour. Only what differs enough from the point before becomes a point. */
import type { Machine } from '@skolo/api';
import { packPoints, type Series, seriesKey, unpackPoints } from './points.ts';

/** Smallest difference, in the unit of the quantity. */
const least = { percent: 1, celsius: 1 } as const;
/** No two points are closer. */
const leastSeconds = 60;
/** A curve without changes has a point as often as this. */
const mostSeconds = 1800;
/** A task is root on its machine, and may report any sensor. */
const mostSensors = 8;

export interface PackedHour {
  machine: string;
  device: string;
  hour: number;
  points: Uint8Array;
}

interface Collected {
  machine: string;
  device: string;
  hour: number;
  /** By `seriesKey`. */
  series: Map<string, Series>;
  isNew: boolean;
}

export class Readings {
  private readonly collected = new Map<string, Collected>();

  /** @param now milliseconds since 1970 */
  note({ name: machine, devices }: Pick<Machine, 'name' | 'devices'>, now: number): void {
    const seconds = Math.floor(now / 1000);
    for (const { name, batteryPercent, temperaturesCelsius = {} } of devices) {
      if (batteryPercent !== undefined) {
        this.add(machine, name, { quantity: 'battery', unit: 'percent' }, seconds, batteryPercent);
      }
      for (const [quantity, value] of Object.entries(temperaturesCelsius).slice(0, mostSensors)) {
        this.add(machine, name, { quantity, unit: 'celsius' }, seconds, value);
      }
    }
  }

  /** From before this service started: the present hour goes on. */
  recall({ machine, device, hour, points }: PackedHour): void {
    const series = new Map(unpackPoints(hour, points).map((each) => [seriesKey(each), each]));
    this.collected.set(keyOf(machine, device, hour), {
      machine,
      device,
      hour,
      series,
      isNew: false,
    });
  }

  /** Hours with points that were not written yet. */
  unwritten(): PackedHour[] {
    return [...this.collected.values()]
      .filter(({ isNew }) => isNew)
      .map(({ machine, device, hour, series }) => ({
        machine,
        device,
        hour,
        points: packPoints(hour, [...series.values()]),
      }));
  }

  /** All were written. Forgets hours that are over. */
  written(now: number): void {
    const present = Math.floor(now / 3_600_000);
    for (const [key, collected] of this.collected) {
      collected.isNew = false;
      if (collected.hour !== present) this.collected.delete(key);
    }
  }

  private add(
    machine: string,
    device: string,
    { quantity, unit }: Pick<Series, 'quantity' | 'unit'>,
    seconds: number,
    value: number,
  ): void {
    const hour = Math.floor(seconds / 3600);
    const key = keyOf(machine, device, hour);
    const collected = this.collected.get(key) ?? {
      machine,
      device,
      hour,
      series: new Map<string, Series>(),
      isNew: true,
    };
    this.collected.set(key, collected);
    const own = seriesKey({ quantity, unit });
    const series = collected.series.get(own) ?? { quantity, unit, points: [] };
    const last = series.points.at(-1);
    if (last !== undefined) {
      const [then, before] = last;
      const isFar = Math.abs(value - before) >= least[unit] || seconds - then >= mostSeconds;
      if (!isFar || seconds - then < leastSeconds) return;
    } else if (collected.series.size > mostSensors) return;
    series.points.push([seconds, value]);
    collected.series.set(own, series);
    collected.isNew = true;
  }
}

function keyOf(machine: string, device: string, hour: number): string {
  return `${hour} ${machine} ${device}`;
}
