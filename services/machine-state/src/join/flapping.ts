/** Machines whose condition changes too often. */
import type { Machine, MachineCondition } from '@skolo/api';
import { timeOf } from './machine.ts';

const windowMs = 3_600_000;
/** Three times away from `ok` and back. */
const leastChanges = 6;
/** A person turned it off, or it was installed. */
const planned: ReadonlySet<MachineCondition> = new Set(['maintenance', 'never-reported']);

export class Flapping {
  private readonly changes = new Map<string, number[]>();

  /** @param at milliseconds since 1970 */
  note(machine: string, from: MachineCondition, to: MachineCondition, at: number): void {
    if (planned.has(from) || planned.has(to)) return;
    this.changes.set(machine, [...this.recent(machine, at), at]);
  }

  of(machine: string, now: number): Machine['flapping'] {
    const recent = this.recent(machine, now);
    const [first] = recent;
    if (first === undefined || recent.length < leastChanges) return undefined;
    return { changes: recent.length, since: timeOf(first) };
  }

  forget(machine: string): void {
    this.changes.delete(machine);
  }

  private recent(machine: string, now: number): number[] {
    // A wall clock that was corrected leaves times in the future.
    return (this.changes.get(machine) ?? []).filter((at) => at > now - windowMs && at <= now);
  }
}
