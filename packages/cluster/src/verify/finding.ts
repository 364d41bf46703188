/** A check and its result. */
export interface Finding {
  /** `DNS`: one word or two. */
  check: string;
  /** Names of nodes, a pair, or the cluster. Empty: the cluster. */
  where: string[];
  state: 'ok' | 'warning' | 'wrong' | 'not tried';
  /** The result, and if it is wrong, what to do. */
  text: string;
}

/** @param where empty: the cluster */
export function finding(
  check: string,
  state: Finding['state'],
  text: string,
  where: string[] = [],
): Finding {
  return { check, where, state, text };
}

/** One line for all nodes that are correct, and one for each text of those that are not. */
export function gathered<T extends { name: string }>(
  check: string,
  all: readonly T[],
  judge: (one: T) => Pick<Finding, 'state' | 'text'>,
): Finding[] {
  const found = new Map<string, Finding>();
  for (const one of all) {
    const { state, text } = judge(one);
    const key = state === 'ok' ? 'ok' : `${state} ${text}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, finding(check, state, text, [one.name]));
    else known.where.push(one.name);
  }
  return [...found.values()];
}
