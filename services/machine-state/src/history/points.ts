/**
 * A device's points within an hour, packed: for each quantity its name, and then for each point the time since the previous one and the
 * difference to it, as numbers of variable length (LEB128, signed ones zigzag). Times are in tens of seconds and values in halves, so that
 * most points take two bytes.
 */

/** Seconds since 1970. */
type Point = [seconds: number, value: number];

export interface Series {
  /** `battery`, or a temperature sensor. */
  quantity: string;
  unit: 'percent' | 'celsius';
  /** In chronological order. */
  points: Point[];
}

const units = ['percent', 'celsius'] as const;
const stepSeconds = 10;
const stepsPerUnit = 2;

/** Distinguishes the series of one device. */
export function seriesKey({ quantity, unit }: Pick<Series, 'quantity' | 'unit'>): string {
  return `${unit} ${quantity}`;
}

/** @param hour number of the hour since 1970 that contains all points */
export function packPoints(hour: number, series: readonly Series[]): Uint8Array {
  const bytes: number[] = [];
  const put = (value: number) => {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  };
  for (const { quantity, unit, points } of series) {
    const name = Buffer.from(quantity);
    put(name.length);
    bytes.push(...name);
    put(units.indexOf(unit));
    put(points.length);
    let before = { time: (hour * 3600) / stepSeconds, steps: 0 };
    for (const [seconds, value] of points) {
      const time = Math.floor(seconds / stepSeconds);
      const steps = Math.round(value * stepsPerUnit);
      const change = steps - before.steps;
      put(time - before.time);
      put(change < 0 ? -2 * change - 1 : 2 * change);
      before = { time, steps };
    }
  }
  return Uint8Array.from(bytes);
}

/** The inverse. Damage ends the result. */
export function unpackPoints(hour: number, bytes: Uint8Array): Series[] {
  const series: Series[] = [];
  let at = 0;
  const take = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at];
      at += 1;
      if (byte === undefined) throw new RangeError('it ends within a number');
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  try {
    while (at < bytes.length) {
      const length = take();
      const quantity = Buffer.from(bytes.subarray(at, at + length)).toString();
      at += length;
      const unit = units[take()] ?? 'celsius';
      const points: Series['points'] = [];
      series.push({ quantity, unit, points });
      const count = take();
      let [time, steps] = [(hour * 3600) / stepSeconds, 0];
      for (let i = 0; i < count; i += 1) {
        time += take();
        const change = take();
        steps += change % 2 === 1 ? -(change + 1) / 2 : change / 2;
        points.push([time * stepSeconds, steps / stepsPerUnit]);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return series;
}
