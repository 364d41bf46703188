/** Computes what a group of requests would change: messages for the spool, and the resulting known alerts. */
import type { DeadLetter } from '@skolo/api';
import type { Tracked } from '../state/known-alerts.ts';

type Labels = Readonly<Record<string, string>>;

export class Draft {
  /** Messages in the spool's format. */
  readonly texts: string[] = [];
  readonly transitions = { firing: 0, resolved: 0 };
  readonly letters: DeadLetter[] = [];
  /** How much more memory the known alerts would take, in bytes. */
  bytes = 0;
  private readonly alerts: Map<string, Tracked>;
  private readonly changes = new Map<string, Tracked | undefined>();
  /** Number of alerts by machine; counted when a machine has a new one. */
  private byMachine: Map<string, number> | undefined;
  private readonly machineOf: (labels: Labels) => string | undefined;

  /** @param machineOf whose alert it is */
  constructor(alerts: Map<string, Tracked>, machineOf: (labels: Labels) => string | undefined) {
    this.alerts = alerts;
    this.machineOf = machineOf;
  }

  get(fingerprint: string): Tracked | undefined {
    return this.changes.has(fingerprint)
      ? this.changes.get(fingerprint)
      : this.alerts.get(fingerprint);
  }

  /** Returns whether the change was made: not if it would take memory, and then more than `most` bytes. */
  set(fingerprint: string, tracked: Tracked, most = Number.POSITIVE_INFINITY): boolean {
    const before = this.get(fingerprint);
    const more = tracked.bytes - (before?.bytes ?? 0);
    if (more > 0 && this.bytes + more > most) return false;
    this.bytes += more;
    if (before === undefined) this.count(tracked, 1);
    this.changes.set(fingerprint, tracked);
    return true;
  }

  forget(fingerprint: string): void {
    const before = this.get(fingerprint);
    if (before !== undefined) {
      this.bytes -= before.bytes;
      this.count(before, -1);
    }
    this.changes.set(fingerprint, undefined);
  }

  /** How many alerts of this machine would be known. */
  countOf(machine: string): number {
    if (this.byMachine === undefined) {
      this.byMachine = new Map();
      for (const [, tracked] of this.known()) this.count(tracked, 1);
    }
    return this.byMachine.get(machine) ?? 0;
  }

  /** All known alerts, with the changes. */
  *known(): Generator<[string, Tracked]> {
    for (const fingerprint of this.alerts.keys()) {
      const tracked = this.get(fingerprint);
      if (tracked !== undefined) yield [fingerprint, tracked];
    }
    for (const [fingerprint, tracked] of this.changes) {
      if (tracked !== undefined && !this.alerts.has(fingerprint)) yield [fingerprint, tracked];
    }
  }

  private count({ known }: Tracked, more: 1 | -1) {
    const machine = this.machineOf(known.alert.labels);
    if (machine === undefined || this.byMachine === undefined) return;
    this.byMachine.set(machine, (this.byMachine.get(machine) ?? 0) + more);
  }

  /** Applies the changes. */
  apply(): void {
    for (const [fingerprint, tracked] of this.changes) {
      if (tracked === undefined) this.alerts.delete(fingerprint);
      else this.alerts.set(fingerprint, tracked);
    }
  }
}
