/**
 * Decides whether another outlet has changed unexpectedly, from readings and from the daemon's own commands. Relays may be linked on the
 * device (Tasmota's Interlock, outlet groups of PDUs), so that a command moves others, too. Pure, except for its memory.
 */
import type { OutletReading, OutletState } from '@skolo/equipment/models/outlets';
import { restoreOf } from '../state/records.ts';

/** How long a command may take to have its effect. Milliseconds, as all times here, of `performance.now()`. */
const effectWithinMs = 120_000;
/** How long after a command the change of another outlet is attributed to it. */
const attributedForMs = 10_000;
/** An older reading does not show whether an outlet changed before the command. */
const freshForMs = 30_000;

export class OutletStates {
  private readonly settled = new Map<string, OutletReading & { readAt: number }>();
  /** The last command to each outlet, and the states that it still leads to. */
  private readonly commands = new Map<
    string,
    { at: number; until: number; states: OutletState[] }
  >();
  /** What became of other outlets (`turned off`), by the outlet whose command was followed by the change. */
  private readonly moved = new Map<string, Map<string, string>>();

  /** A command is about to be sent. @param states those that it leads to, in order */
  commanded(outlet: string, states: readonly OutletState[], now: number, forMs = 0): void {
    const until = now + forMs + effectWithinMs;
    this.commands.set(outlet, { at: now, until, states: [...states] });
  }

  /**
   * Others may have commanded this outlet before, such as the last process: it may yet turn off and on. The change of another outlet is not
   * attributed to that.
   */
  formerlyCommanded(outlet: string, now: number, forMs: number): void {
    const until = now + forMs + effectWithinMs;
    this.commands.set(outlet, { at: Number.NEGATIVE_INFINITY, until, states: ['off', 'on'] });
  }

  /** @param now when the reading began */
  read(readings: ReadonlyMap<string, OutletReading>, now: number): void {
    for (const [outlet, reading] of readings) {
      const { state } = reading;
      if (state === 'unknown') continue;
      const before = this.settled.get(outlet);
      const restore = { ...restoreOf(before ?? {}), ...restoreOf(reading) };
      this.settled.set(outlet, { ...reading, ...restore, readAt: now });
      if (this.isExpected(outlet, state, now) || before === undefined) continue;
      const what = state === before.state ? lostPower(before, reading) : `turned ${state}`;
      if (what !== undefined) this.attribute(outlet, what, before.readAt, now);
    }
  }

  /** The last reading, with the mode in which it was on. */
  last(outlet: string): OutletReading | undefined {
    return this.settled.get(outlet);
  }

  /** Outlets that changed although nobody requested it here, since `outlet` was switched. They are returned once. */
  takeMoved(outlet: string): ReadonlyMap<string, string> {
    const moved = this.moved.get(outlet) ?? new Map<string, string>();
    this.moved.delete(outlet);
    return moved;
  }

  /** Whether its own command explains any state that it has now. */
  private isExpected(outlet: string, state: OutletState, now: number): boolean {
    const command = this.commands.get(outlet);
    if (command === undefined || command.states.length === 0) return false;
    if (command.states[0] === state) command.states.shift();
    else if (now > command.until) command.states = [];
    return true;
  }

  private attribute(outlet: string, what: string, readAt: number, now: number): void {
    for (const [cause, { at }] of this.commands) {
      const isBetween = at >= readAt && at - readAt < freshForMs;
      if (!isBetween && now - at > attributedForMs) continue;
      const moved = this.moved.get(cause) ?? new Map<string, string>();
      this.moved.set(cause, moved.set(outlet, what));
    }
  }
}

/** A switch whose power does not suffice turns off the ports with the lowest priority, which remain enabled. */
function lostPower(
  before: OutletReading,
  { delivering, fault }: OutletReading,
): string | undefined {
  const isLost = before.delivering === true && before.fault === undefined && !delivering;
  return isLost && fault !== undefined ? `lost power (${fault})` : undefined;
}
