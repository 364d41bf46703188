/** Findings of a cluster's verification, with equal ones on one line. */
import type { Finding, FindingState } from '@skolo/base';

/** For one node. */
export type Judged = Omit<Finding, 'thing' | 'where'>;

/** @param where empty: the cluster */
export function finding(
  thing: string,
  state: FindingState,
  found: string,
  { where = [], advice }: Pick<Finding, 'where' | 'advice'> = {},
): Finding {
  return { thing, where, state, found, ...(advice !== undefined && { advice }) };
}

/** One line for all nodes that are correct, and one for each text of those that are not. */
export function gathered<T extends { name: string }>(
  thing: string,
  all: readonly T[],
  judge: (one: T) => Judged,
): Finding[] {
  const judged = all.map((one) => ({ name: one.name, ...judge(one) }));
  const groups = Map.groupBy(judged, ({ state, found, advice }) =>
    state === 'ok' ? 'ok' : `${state} ${found} ${advice}`,
  );
  return [...groups.values()].flatMap((alike) => {
    const where = alike.map(({ name }) => name);
    return alike.slice(0, 1).map(({ name: _, ...first }) => ({ thing, where, ...first }));
  });
}
