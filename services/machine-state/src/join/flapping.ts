/** Decides when a machine is flapping: its condition changes too often, other than by an order, a plan or a cause that machines share. */
import type { Machine, MachineCondition } from '@skolo/api';
import { conditionFacts, isSilent } from '@skolo/api/silence';
import { isoTime } from '@skolo/base';

const windowMs = 3_600_000;
/** Three times away from `ok` and back. */
const leastChanges = 6;

/**
 * The time in which a machine may have faults after an announced reboot, a power cycle or the end of an order, for example while a phone
 * boots, too.
 */
const settlingMs = 300_000;

/** In milliseconds. */
interface Moment {
  /** Since boot: a wall clock that jumps changes nothing. */
  uptime: number;
  /** Since 1970, for people. */
  wall: number;
}

interface Change extends Moment {
  isSilence: boolean;
}

export class Flapping {
  private readonly changes = new Map<string, Change[]>();
  private readonly faulty = new Set<string>();
  private readonly plannedAt = new Map<string, number>();

  /** @param machine in the same condition or another */
  note(from: MachineCondition, machine: Machine, now: Moment): void {
    const at = now.uptime;
    const { name, condition, orders, power } = machine;
    const isAnnounced = from === 'maintenance' && condition === 'stale';
    const isPlanned = orders.length > 0 || power?.cycle !== undefined || isAnnounced;
    if (isPlanned) this.plannedAt.set(name, at);
    // Not the machine changes, but what it shares with others. That may be found after it fell silent.
    if (machine.cause !== undefined) {
      const changes = this.changes.get(name);
      if (changes?.at(-1)?.isSilence && this.faulty.delete(name)) changes.pop();
      return;
    }
    const { isUnable = false } = conditionFacts[condition];
    const isFault = isUnable || isSilent(machine);
    const isSame = isFault ? this.faulty.has(name) : condition !== 'ok' || !this.faulty.has(name);
    if (from === condition || isSame) return;
    const isSettling = at - (this.plannedAt.get(name) ?? Number.NEGATIVE_INFINITY) < settlingMs;
    if (isFault && (orders.length > 0 || (isSettling && condition !== 'gone'))) return;
    if (isFault) this.faulty.add(name);
    else this.faulty.delete(name);
    const change = { ...now, isSilence: isSilent(machine) };
    this.changes.set(name, [...this.recent(name, at), change]);
  }

  of(machine: string, { uptime }: Moment): Machine['flapping'] {
    const recent = this.recent(machine, uptime);
    const [first] = recent;
    if (first === undefined || recent.length < leastChanges) return undefined;
    return { changes: recent.length, since: isoTime(first.wall) };
  }

  forget(machine: string): void {
    this.changes.delete(machine);
    this.faulty.delete(machine);
    this.plannedAt.delete(machine);
  }

  private recent(machine: string, uptime: number): Change[] {
    return (this.changes.get(machine) ?? []).filter((each) => each.uptime > uptime - windowMs);
  }
}
