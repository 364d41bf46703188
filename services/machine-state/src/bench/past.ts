/** A history like a rack's after some months. */
import { join } from 'node:path';
import { openDatabase } from '../history/database.ts';
import { packPoints } from '../history/points.ts';
import { HistoryTables } from '../history/tables.ts';

const hourMs = 3_600_000;

export interface PastOptions {
  days: number;
  machines: readonly string[];
  /** Per machine and day. */
  tasks: number;
  conditions: number;
}

/** Writes it as the service does, an hour at a time. */
export function writePast(stateDir: string, now: number, options: PastOptions): void {
  const { days, machines, tasks, conditions } = options;
  const database = openDatabase(join(stateDir, 'history.sqlite'));
  const tables = new HistoryTables(database);
  const first = Math.floor(now / hourMs) - days * 24;
  let number = 0;
  for (let hour = first; hour < first + days * 24; hour += 1) {
    tables.together(() => {
      for (const machine of machines) {
        for (const at of timesIn(hour, tasks / 24)) {
          number += 1;
          const key = (0x6a1b000000000000n + BigInt(number)).toString(16);
          const endedAt = at + 600_000;
          tables.putEntry({ machine, kind: 'task', key, at, endedAt, outcome: 'ended' });
        }
        for (const at of timesIn(hour, conditions / 24)) {
          const data = 'device: battery is at 12%, and tasks need 30%';
          const [key, outcome] = Math.random() < 0.5 ? ['ok', ''] : ['recovering', 'battery-low'];
          tables.putEntry({ machine, kind: 'condition', key, outcome, at, data });
        }
        const series = (
          quantity: string,
          unit: 'percent' | 'celsius',
          each: number,
          low: number,
        ) => ({
          quantity,
          unit,
          points: timesIn(hour, each).map((at): [number, number] => [
            Math.floor(at / 1000),
            low + Math.round(Math.random() * 100) / 10,
          ]),
        });
        const points = packPoints(hour, [
          series('battery', 'percent', 8, 60),
          series('battery-temperature', 'celsius', 8, 25),
          series('cpu', 'celsius', 20, 35),
        ]);
        tables.putCurve({ machine, device: 'device', hour, points });
      }
    });
  }
  database.close();
}

/** About this many moments of an hour, in order. */
function timesIn(hour: number, each: number): number[] {
  const count = Math.floor(each) + (Math.random() < each % 1 ? 1 : 0);
  const times = Array.from(
    { length: count },
    () => hour * hourMs + Math.floor(Math.random() * hourMs),
  );
  return times.sort((a, b) => a - b);
}
