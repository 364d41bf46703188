import type { RackView } from '@skolo/api';

/**
 * Groups machines by shelf, in walking order. Machines that the view lacks, such as those that were added meanwhile, are the last group,
 * which has no shelf: no list may lose them.
 */
export function groupByShelf(
  shelves: RackView['shelves'],
  names: Iterable<string>,
): { shelf?: string; machines: string[] }[] {
  const rest = new Set(names);
  const groups = shelves.map(({ name, machines }) => ({
    shelf: name,
    machines: machines.filter((machine) => rest.delete(machine)),
  }));
  return [...groups, { machines: [...rest] }].filter(({ machines }) => machines.length > 0);
}
