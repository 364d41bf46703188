/** Machines whose agents do not respond: one rule for pages and commands. What is known about them dates from `lastSeen`. */
import type { Machine, MachineCondition } from './machine-state.ts';

/** Conditions of a machine whose agent does not respond. */
const silent: ReadonlySet<MachineCondition> = new Set(['stale', 'gone']);

export function isSilent({ condition }: Pick<Machine, 'condition'>): boolean {
  return silent.has(condition);
}

/** When a machine's condition began. Silence began with the last answer, although the condition is only known a minute later. */
export function beganAt(machine: Pick<Machine, 'condition' | 'since' | 'lastSeen'>) {
  return (isSilent(machine) && machine.lastSeen) || machine.since;
}

/** Machines that fell silent recently, without a common cause or an action under way, longest silent first. */
export function recentlySilent(machines: Iterable<Machine>): Machine[] {
  return [...machines]
    .filter(
      ({ condition, cause, needsAttention, power }) =>
        condition === 'stale' && !cause && !needsAttention && !power?.cycle,
    )
    .sort(({ lastSeen: a = '' }, { lastSeen: b = '' }) => (a < b ? -1 : a > b ? 1 : 0));
}
