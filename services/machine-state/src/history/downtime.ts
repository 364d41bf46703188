/** Computes which machines lost most time to faults (downtime). */
import type { MachineDowntime } from '@skolo/api';
import { isFault } from '../join/condition.ts';
import type { ConditionChange } from './tables.ts';

interface Total {
  times: number;
  ms: number;
  codes: Map<string, number>;
}

/** @param days changes of condition, each machine's in chronological order */
export async function downtime(
  days: AsyncIterable<readonly ConditionChange[]>,
  now: number,
  limit: number,
): Promise<MachineDowntime[]> {
  const found = new Map<string, Total>();
  const faulty = new Map<string, number>();
  for await (const changes of days) for (const change of changes) count(change, found, faulty);
  for (const [machine, since] of faulty) {
    const total = found.get(machine);
    if (total) total.ms += Math.max(0, now - since);
  }
  return [...found]
    .filter(([, { times }]) => times > 0)
    .sort(
      ([a, one], [b, other]) => other.ms - one.ms || other.times - one.times || (a < b ? -1 : 1),
    )
    .slice(0, limit)
    .map(([name, { times, ms, codes }]) => ({
      name,
      times,
      seconds: Math.round(ms / 1000),
      codes: [...codes]
        .map(([code, count]) => ({ code, times: count }))
        .sort((a, b) => b.times - a.times || (a.code < b.code ? -1 : 1)),
    }));
}

/** @param faulty since when machines have had a fault, by name */
function count(
  { machine, at, key, outcome }: ConditionChange,
  found: Map<string, Total>,
  faulty: Map<string, number>,
): void {
  const total = found.get(machine) ?? { times: 0, ms: 0, codes: new Map<string, number>() };
  found.set(machine, total);
  const since = faulty.get(machine);
  if (since !== undefined) total.ms += Math.max(0, at - since);
  const codes = outcome ? outcome.split(',') : [];
  if (!isFault(key, codes)) {
    faulty.delete(machine);
    return;
  }
  if (since === undefined) total.times += 1;
  faulty.set(machine, at);
  for (const code of codes.length > 0 ? codes : [key]) {
    total.codes.set(code, (total.codes.get(code) ?? 0) + 1);
  }
}
