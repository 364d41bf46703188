/** Machines whose condition changes too often, and not because of an order or a plan. */
import type { Machine, MachineCondition } from '@skolo/api';
import { timeOf } from './machine.ts';

const windowMs = 3_600_000;
/** Three times away from `ok` and back. */
const leastChanges = 6;
const faults: ReadonlySet<MachineCondition> = new Set<MachineCondition>([
  'recovering',
  'quarantined',
  'stale',
  'gone',
]);

export class Flapping {
  private readonly changes = new Map<string, number[]>();
  /** Machines that are in their condition because of an order or a plan. */
  private readonly planned = new Set<string>();

  /** @param machine in its new condition @param at milliseconds since 1970 */
  note(from: MachineCondition, machine: Machine, at: number): void {
    const { name, condition } = machine;
    const wasPlanned = this.planned.has(name);
    const isPlanned = followsPlan(from, machine);
    if (isPlanned) this.planned.add(name);
    else this.planned.delete(name);
    const counts = (faults.has(from) && !wasPlanned) || (faults.has(condition) && !isPlanned);
    if (counts) this.changes.set(name, [...this.recent(name, at), at]);
  }

  of(machine: string, now: number): Machine['flapping'] {
    const recent = this.recent(machine, now);
    const [first] = recent;
    if (first === undefined || recent.length < leastChanges) return undefined;
    return { changes: recent.length, since: timeOf(first) };
  }

  forget(machine: string): void {
    this.changes.delete(machine);
    this.planned.delete(machine);
  }

  private recent(machine: string, now: number): number[] {
    // A wall clock that was corrected leaves times in the future.
    return (this.changes.get(machine) ?? []).filter((at) => at > now - windowMs && at <= now);
  }
}

/**
 * Somebody has ordered it, or it is silent after its agent had announced that (an update, a reboot, a drain) or while its power
 * is cycled. One that stays silent has a fault.
 */
function followsPlan(from: MachineCondition, { condition, orders, power }: Machine): boolean {
  if (orders.length > 0) return true;
  const isAnnounced = from === 'maintenance' || power?.cycle !== undefined;
  return condition === 'stale' && isAnnounced;
}
