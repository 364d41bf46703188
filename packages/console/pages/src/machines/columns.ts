/** Decides the columns of the table of machines, and how they are sorted. */
import type { Machine } from '@skolo/api/machine-state';
import { beganAt, conditionWord, readingsOf } from '@skolo/api/silence';
import { conditions } from '../parts/condition.tsx';

type Value = string | number | undefined;

interface Column {
  /** In the link, and in the file's header. */
  key: string;
  title: string;
  /** Behind numbers; the file has only numbers. */
  unit?: string;
  /** As in the file: a number, a name, or a time (ISO 8601). */
  of(machine: Machine): Value;
  /** What rows are sorted by, if it is not the value. */
  rank?(machine: Machine): Value;
}

export const columns: readonly Column[] = [
  { key: 'name', title: 'Machine', of: ({ name }) => name },
  {
    key: 'condition',
    title: 'Condition',
    of: ({ condition }) => conditionWord(condition),
    rank: ({ condition }) => conditions.indexOf(condition),
  },
  { key: 'since', title: 'Since', of: beganAt },
  { key: 'shelf', title: 'Shelf', of: ({ shelf }) => shelf },
  { key: 'port', title: 'Port', of: ({ wiring }) => wiring.uplink },
  {
    key: 'model',
    title: 'Model',
    of: ({ kind, devices }) =>
      devices.flatMap(({ dimensions }) => dimensions?.device_type ?? []).join(', ') || kind,
  },
  {
    key: 'battery',
    title: 'Battery',
    unit: '%',
    of: (machine) =>
      extreme(
        Math.min,
        readingsOf(machine).devices.map((each) => each.batteryPercent),
      ),
  },
  {
    key: 'temperature',
    title: 'Temperature',
    unit: ' °C',
    of: (machine) => {
      const { devices, host } = readingsOf(machine);
      const own = typeof host?.celsius === 'number' ? host.celsius : undefined;
      const sensors = devices.flatMap((each) => Object.values(each.temperaturesCelsius ?? {}));
      return extreme(Math.max, [...sensors, own]);
    },
  },
  {
    key: 'task',
    title: 'Last task',
    of: (machine) => [taskOf(machine).word, taskOf(machine).at].filter(Boolean).join(' '),
    rank: (machine) => taskOf(machine).at,
  },
];

/** The running task, or the one that ended last. */
export function taskOf({ task, lastTask }: Machine): { word?: string; at?: string | undefined } {
  if (task) return { word: 'running', at: task.since };
  return lastTask ? { word: lastTask.outcome, at: lastTask.endedAt } : {};
}

/** @param sort the key of a column; with `-`, the last one comes first; otherwise in the order of the rack. Rows without a value come last. */
export function sorted(machines: readonly Machine[], sort: string): Machine[] {
  const column = columns.find(({ key }) => key === sort.replace(/^-/, ''));
  if (!column) return [...machines];
  const sign = sort.startsWith('-') ? -1 : 1;
  const rank = column.rank ?? column.of;
  // Not before it is needed: the first one takes as long as drawing a hundred rows.
  const text = new Intl.Collator('en', { numeric: true });
  const compare = (a: string | number, b: string | number) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : text.compare(`${a}`, `${b}`);
  return machines
    .map((machine) => ({ machine, value: rank(machine) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined) {
        return Number(a.value === undefined) - Number(b.value === undefined);
      }
      return sign * compare(a.value, b.value);
    })
    .map(({ machine }) => machine);
}

function extreme(of: (...values: number[]) => number, values: readonly (number | undefined)[]) {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? of(...known) : undefined;
}
