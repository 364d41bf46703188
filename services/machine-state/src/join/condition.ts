/**
 * Decides a machine's condition: its agent's verdict, `unknown` if the agent reports none, or dead, because the agent has been silent for
 * so long (`stale`, `gone`); earlier, if many are silent because of one switch or PDU; never during maintenance.
 */
import type { Machine, MachineCondition } from '@skolo/api';
import { conditionFacts, isSilent } from '@skolo/api/silence';
import type { MachineSources } from './sources.ts';

/** By conditions of the history, which may be those of another version. */
const facts = new Map<string, (typeof conditionFacts)[MachineCondition]>(
  Object.entries(conditionFacts),
);

/** Whether a machine is unable to work because of a fault. @param codes of the reasons for its condition */
export function isFault(condition: string, codes: readonly string[]): boolean {
  // A reason `forced` follows from an order.
  const isOrdered = codes.length > 0 && codes.every((code) => code === 'forced');
  return facts.get(condition)?.isUnable === true && !isOrdered;
}

/** How a machine is unhealthy: it does not respond, or a fault keeps it from accepting tasks until somebody acts. */
export function unhealthyAs(
  condition: string,
  codes: readonly string[],
): 'silent' | 'quarantined' | undefined {
  if (facts.get(condition)?.isSilent) return 'silent';
  return condition === 'quarantined' && isFault(condition, codes) ? 'quarantined' : undefined;
}

/** Codes of the reasons for the condition, without duplicates. */
export function codesOf({ condition, health }: Pick<Machine, 'condition' | 'health'>): string[] {
  const reasons = health?.reasons.filter(({ verdict }) => verdict === condition) ?? [];
  return [...new Set(reasons.map(({ code }) => code.replaceAll(',', ' ')))];
}

/**
 * A shared cause is looked for slightly before each machine alone would be stale, and later than a healthy agent takes to answer: so a
 * pulled switch is named within `staleSeconds`.
 */
export function sharedSilenceSeconds({
  staleSeconds,
}: Pick<MachineSources['limits'], 'staleSeconds'>): number {
  return (staleSeconds * 5) / 6;
}

export function conditionOf({
  agent,
  standing,
  orders,
  cause,
  limits,
}: Pick<MachineSources, 'agent' | 'standing' | 'orders' | 'cause' | 'limits'>): MachineCondition {
  const { status, silentSeconds } = agent;
  const before = standing?.condition ?? 'never-reported';
  if (status === undefined && before === 'never-reported') return before;
  // Only an answer ends a silence, whatever becomes of its cause.
  const isShared = cause !== undefined || isSilent({ condition: before });
  if (silentSeconds >= (isShared ? sharedSilenceSeconds(limits) : limits.staleSeconds)) {
    // Somebody works on it, and turns it off.
    if (orders.some(({ kind }) => kind === 'maintenance')) return 'maintenance';
    const isGone = silentSeconds >= limits.goneSeconds || before === 'gone';
    return isGone ? 'gone' : 'stale';
  }
  return status === undefined ? before : (status.health?.verdict ?? 'unknown');
}

/**
 * When the condition began, in milliseconds since 1970. An agent knows when its verdict began, unless that is in the future or before the
 * machine's previous condition.
 */
export function sinceOf(
  condition: MachineCondition,
  { agent, standing }: Pick<MachineSources, 'agent' | 'standing'>,
  now: number,
): number {
  if (standing?.condition === condition) return standing.since;
  const { health } = agent.status ?? {};
  if (health?.verdict !== condition) return now;
  const begun = Date.parse(health.since);
  const earliest = standing?.since ?? 0;
  const wasSilent = standing !== undefined && isSilent(standing);
  return begun > now || begun < earliest || wasSilent ? now : begun;
}
