/** Messages that an alert still fires. They are not in the spool: each is created when nothing else waits for its key. */
import type { AlertMessage, Sink, SpooledMessage } from '@skolo/alerts';
import type { Clock } from '@skolo/common';
import type { Backlog, Queue, Waiting } from './backlog.ts';

interface RefreshesDeps {
  sink: Sink;
  backlog: Backlog;
  /** Undefined: the alert does not fire. */
  refreshOf(fingerprint: string): AlertMessage | undefined;
  clock: Clock;
}

/** Memory of a refresh; an estimate. */
const bytes = 1000;

export class Refreshes {
  private readonly deps: RefreshesDeps;
  /** Queues with refreshes: used after each batch, and there may be thousands of queues. */
  private readonly queues = new Set<Queue>();
  /** The sink rejects these alerts; they are not refreshed until they change. */
  private readonly rejected = new Set<string>();

  constructor(deps: RefreshesDeps) {
    this.deps = deps;
  }

  /** Requests a refresh of these alerts. */
  add(fingerprints: readonly string[]): void {
    const { sink, backlog, clock } = this.deps;
    for (const fingerprint of fingerprints) {
      const message = this.messageOf(fingerprint);
      if (message === undefined) continue;
      const queue = backlog.queue(sink.orderingKeyOf(message));
      if (!queue.refreshes.has(fingerprint)) queue.refreshes.set(fingerprint, clock.uptime());
      this.queues.add(queue);
    }
  }

  /** Creates refreshes for idle keys, as many as there is room for. All of the spool must have been read. */
  fill(): void {
    const { sink, backlog } = this.deps;
    for (const queue of this.queues) {
      const { key, refreshes, state } = queue;
      if (state !== 'idle') continue;
      for (const [fingerprint, since] of [...refreshes].slice(0, sink.limits.messages)) {
        if (!backlog.hasRoomFor(bytes)) return;
        refreshes.delete(fingerprint);
        const message = this.messageOf(fingerprint);
        if (message === undefined) continue;
        backlog.add({ seq: Number.POSITIVE_INFINITY, key, message, bytes, since });
      }
      if (refreshes.size === 0) this.queues.delete(queue);
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

  private messageOf(fingerprint: string): AlertMessage | undefined {
    return this.rejected.has(fingerprint) ? undefined : this.deps.refreshOf(fingerprint);
  }
}
