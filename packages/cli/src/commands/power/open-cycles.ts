import type { PowerCycle } from '@skolo/api';
import { byNumber, expanded, namesOf } from '../../names.ts';
import type { PowerCycleDaemon } from './daemon.ts';

export interface FoundCycles {
  cycles: PowerCycle[];
  /** Words that are neither the id nor the target of a cycle that is queued or under way. */
  unknown: string[];
}

/** The cycles that are not over and have one of these ids, targets or outlets. */
export async function openCycles(
  daemon: PowerCycleDaemon,
  words: readonly string[],
): Promise<FoundCycles> {
  const wanted = await expanded((await namesOf(words)).names);
  const open = await daemon.ask(async (client) => {
    const asked = { limit: 1000 };
    // Running ones last: one that begins meanwhile is in both, and not in neither.
    const { cycles: queued } = await client.cycles({ query: { ...asked, state: 'queued' } });
    const { cycles: running } = await client.cycles({ query: { ...asked, state: 'running' } });
    return new Map([...queued, ...running].map((cycle) => [cycle.id, cycle]));
  });
  const all = [...open.values()];
  const found = new Set<PowerCycle>();
  const unknown: string[] = [];
  for (const word of wanted) {
    const cycles = all.filter(({ id, target, outlets }) => [id, target, ...outlets].includes(word));
    for (const cycle of cycles) found.add(cycle);
    if (cycles.length === 0) unknown.push(word);
  }
  return { cycles: [...found].sort((a, b) => byNumber(a.target, b.target)), unknown };
}
