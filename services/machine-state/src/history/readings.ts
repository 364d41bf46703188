/** Decides which readings (battery, temperature) become points of a graph: only those that differ enough from the previous point. */
import type { Machine } from '@skolo/api';
import { withoutOld } from '@skolo/api/silence';
import { packPoints, type Series, seriesKey, unpackPoints } from './points.ts';

/** Smallest difference, in the quantity's unit. */
const least = { percent: 1, celsius: 1 } as const;
/** Minimum distance of two points. */
const leastSeconds = 60;
/** Maximum distance of two points of a curve without changes. */
const mostSeconds = 1800;
/** A task has root on its machine, and may report any sensor. */
const mostSensors = 8;

export interface PackedHour {
  machine: string;
  device: string;
  hour: number;
  points: Uint8Array;
}

interface Collected extends Pick<PackedHour, 'machine' | 'device' | 'hour'> {
  /** By `seriesKey`. */
  series: Map<string, Series>;
  isNew: boolean;
}

export class Readings {
  private readonly collected = new Map<string, Collected>();

  /** @param now milliseconds since 1970 */
  note({ name: machine, devices }: Pick<Machine, 'name' | 'devices'>, now: number): void {
    const seconds = Math.floor(now / 1000);
    for (const { name, batteryPercent, temperaturesCelsius = {} } of devices.map(withoutOld)) {
      if (batteryPercent !== undefined) {
        this.add(machine, name, { quantity: 'battery', unit: 'percent' }, seconds, batteryPercent);
      }
      for (const [quantity, value] of Object.entries(temperaturesCelsius).slice(0, mostSensors)) {
        this.add(machine, name, { quantity, unit: 'celsius' }, seconds, value);
      }
    }
  }

  /** From before this service started: the current hour continues. */
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

  /** Hours with unwritten points, which now count as written. */
  takeUnwritten(): PackedHour[] {
    const unwritten = [...this.collected.values()].filter(({ isNew }) => isNew);
    return unwritten.map((collected) => {
      const { machine, device, hour, series } = collected;
      collected.isNew = false;
      return { machine, device, hour, points: packPoints(hour, [...series.values()]) };
    });
  }

  /** They could not be written. */
  putBack(hours: readonly PackedHour[]): void {
    for (const { machine, device, hour } of hours) {
      const collected = this.collected.get(keyOf(machine, device, hour));
      if (collected) collected.isNew = true;
    }
  }

  /** Forgets those that are written. */
  forgetPast(now: number): void {
    const present = Math.floor(now / 3_600_000);
    for (const [key, { hour, isNew }] of this.collected) {
      if (!isNew && hour !== present) this.collected.delete(key);
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
