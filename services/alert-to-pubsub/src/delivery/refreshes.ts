/**
 * Decides when subscribers are told again that an alert still fires (refresh). Such messages are not in the spool: each is created when
 * nothing else waits for its alert.
 */
import type { AlertMessage, SpooledMessage } from '@skolo/alerts';
import type { Clock } from '@skolo/common';
import type { Backlog } from './backlog.ts';
import type { Waiting } from './queue.ts';

interface RefreshesDeps {
  backlog: Backlog;
  /** Undefined: the alert does not fire. */
  refreshOf(fingerprint: string): AlertMessage | undefined;
  clock: Clock;
}

/** Memory of a refresh; an estimate. */
const bytes = 1000;

export class Refreshes {
  private readonly deps: RefreshesDeps;
  /** When they became due, by fingerprint. */
  private readonly due = new Map<string, number>();
  /** The sink rejects these alerts; they are not refreshed until they change. */
  private readonly rejected = new Set<string>();

  constructor(deps: RefreshesDeps) {
    this.deps = deps;
  }

  /** Requests a refresh of these alerts, unless a message about the alert waits anyway. */
  add(fingerprints: readonly string[]): void {
    const { backlog, clock } = this.deps;
    for (const fingerprint of fingerprints) {
      const isNeeded = !this.rejected.has(fingerprint) && !backlog.has(fingerprint);
      if (isNeeded && !this.due.has(fingerprint)) this.due.set(fingerprint, clock.uptime());
    }
  }

  /** Creates as many refreshes as there is room for. All of the spool must have been read. */
  fill(): void {
    const { backlog, refreshOf } = this.deps;
    for (const [fingerprint, since] of this.due) {
      if (!backlog.hasRoomFor(bytes)) return;
      this.due.delete(fingerprint);
      const message = backlog.has(fingerprint) ? undefined : refreshOf(fingerprint);
      if (message === undefined) continue;
      backlog.add({ seq: Number.POSITIVE_INFINITY, message, bytes, since });
    }
  }

  /** A message was read: its alert has changed. */
  changed(message: SpooledMessage): void {
    if (message.kind === 'transition') this.rejected.delete(message.alert.fingerprint);
  }

  stopFor(batch: readonly Waiting[]): void {
    for (const { message } of batch) {
      if (message.kind !== 'notice') this.rejected.add(message.alert.fingerprint);
    }
  }
}
