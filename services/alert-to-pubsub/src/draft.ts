/** What a group of requests would change: messages for the spool, and the alerts as they would be known then. */
import type { DeadLetter } from '@skolo/api';
import type { Tracked } from './state.ts';

export class Draft {
  /** Messages as the spool has them. */
  readonly texts: string[] = [];
  readonly transitions = { firing: 0, resolved: 0 };
  readonly letters: DeadLetter[] = [];
  /** How many more would be known then. */
  added = 0;
  private readonly alerts: Map<string, Tracked>;
  private readonly changes = new Map<string, Tracked | undefined>();

  constructor(alerts: Map<string, Tracked>) {
    this.alerts = alerts;
  }

  get(fingerprint: string): Tracked | undefined {
    return this.changes.has(fingerprint)
      ? this.changes.get(fingerprint)
      : this.alerts.get(fingerprint);
  }

  set(fingerprint: string, tracked: Tracked): void {
    if (this.get(fingerprint) === undefined) this.added += 1;
    this.changes.set(fingerprint, tracked);
  }

  forget(fingerprint: string): void {
    if (this.get(fingerprint) !== undefined) this.added -= 1;
    this.changes.set(fingerprint, undefined);
  }

  /** All that is known, changes included. */
  *known(): Generator<[string, Tracked]> {
    for (const fingerprint of this.alerts.keys()) {
      const tracked = this.get(fingerprint);
      if (tracked !== undefined) yield [fingerprint, tracked];
    }
    for (const [fingerprint, tracked] of this.changes) {
      if (tracked !== undefined && !this.alerts.has(fingerprint)) yield [fingerprint, tracked];
    }
  }

  /** Makes the changes true. */
  apply(): void {
    for (const [fingerprint, tracked] of this.changes) {
      if (tracked === undefined) this.alerts.delete(fingerprint);
      else this.alerts.set(fingerprint, tracked);
    }
  }
}
