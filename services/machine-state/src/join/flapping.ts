/** Decides when a machine is flapping: its condition changes too often, other than by an order or a plan. */
import type { Machine, MachineCondition } from '@skolo/api';
import { isoTime } from '@skolo/base';

const windowMs = 3_600_000;
/** Three times away from `ok` and back. */
const leastChanges = 6;
const faults: ReadonlySet<MachineCondition> = new Set<MachineCondition>([
  'recovering',
  'quarantined',
  'stale',
  'gone',
]);

/**
 * The time in which a machine may have faults after an announced reboot, a power cycle or the end of an order, for example while a phone
 * boots, too.
 */
const settlingMs = 300_000;

export class Flapping {
  private readonly changes = new Map<string, number[]>();
  private readonly faulty = new Set<string>();
  private readonly plannedAt = new Map<string, number>();

  /** @param machine in the same condition or another @param at milliseconds since 1970 */
  note(from: MachineCondition, machine: Machine, at: number): void {
    const { name, condition, orders, power } = machine;
    const isAnnounced = from === 'maintenance' && condition === 'stale';
    const isPlanned = orders.length > 0 || power?.cycle !== undefined || isAnnounced;
    if (isPlanned) this.plannedAt.set(name, at);
    const isFault = faults.has(condition);
    const isSame = isFault ? this.faulty.has(name) : condition !== 'ok' || !this.faulty.has(name);
    if (from === condition || isSame) return;
    const isSettling = at - (this.plannedAt.get(name) ?? Number.NEGATIVE_INFINITY) < settlingMs;
    if (isFault && (orders.length > 0 || (isSettling && condition !== 'gone'))) return;
    if (isFault) this.faulty.add(name);
    else this.faulty.delete(name);
    this.changes.set(name, [...this.recent(name, at), at]);
  }

  of(machine: string, now: number): Machine['flapping'] {
    const recent = this.recent(machine, now);
    const [first] = recent;
    if (first === undefined || recent.length < leastChanges) return undefined;
    return { changes: recent.length, since: isoTime(first) };
  }

  forget(machine: string): void {
    this.changes.delete(machine);
    this.faulty.delete(machine);
    this.plannedAt.delete(machine);
  }

  private recent(machine: string, now: number): number[] {
    // A corrected wall clock leaves times in the future.
    return (this.changes.get(machine) ?? []).filter((at) => at > now - windowMs && at <= now);
  }
}
