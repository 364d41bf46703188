/**
 * Alerts that are to be told again to one sink. They are not in the spool: a newer refresh replaces one that was not sent,
 * and after a crash the next one comes within a minute. A refresh is made when the sink has all that the spool has of the
 * alert, so that it never passes a change.
 */
import type { AlertMessage, Sink } from '@skolo/alerts';
import type { Lanes } from './lanes.ts';
import type { Waiting, Window } from './window.ts';

/** What is known of the alerts. */
export interface KnownAlerts {
  /** The sequence number of the first message that it does not have. */
  readonly next: number;
  /** Undefined: it does not fire any more. */
  refreshOf(fingerprint: string): AlertMessage | undefined;
}

export interface RefreshesDeps {
  sink: Pick<Sink, 'orderingKeyOf'>;
  known: KnownAlerts;
  lanes: Lanes;
  window: Window;
  /** The next sequence number of the spool, when all before it was read; undefined: it was not. */
  allRead(): number | undefined;
}

/** In memory; an estimate, so that the window stays bounded. */
const usualBytes = 1000;

export class Refreshes {
  private readonly deps: RefreshesDeps;
  /** By fingerprint: since when, in seconds of uptime. */
  private readonly due = new Map<string, number>();
  private readonly waiting = new Map<string, Waiting>();
  /** The sink rejects what is said of these; they are told again when something changes. */
  private readonly rejected = new Set<string>();

  constructor(deps: RefreshesDeps) {
    this.deps = deps;
  }

  add(fingerprints: readonly string[], uptime: number): void {
    for (const fingerprint of fingerprints) {
      if (this.due.has(fingerprint) || this.rejected.has(fingerprint)) continue;
      this.due.set(fingerprint, this.waiting.get(fingerprint)?.since ?? uptime);
    }
  }

  /** Puts as many as there is room for behind what waits, each in the place of the one before it. */
  fill(onMessage: (waiting: Waiting) => void): void {
    const { sink, known, window } = this.deps;
    if (this.due.size === 0 || this.deps.allRead() !== known.next) return;
    for (const [fingerprint, since] of this.due) {
      // One that is under way is waited for.
      if (!this.dropOlder(fingerprint)) continue;
      if (!window.hasRoomFor(usualBytes)) return;
      this.due.delete(fingerprint);
      const message = known.refreshOf(fingerprint);
      if (message === undefined) continue;
      const lane = sink.orderingKeyOf(message);
      const seq = Number.POSITIVE_INFINITY;
      const waiting: Waiting = { seq, lane, message, bytes: usualBytes, since };
      this.waiting.set(fingerprint, waiting);
      onMessage(waiting);
    }
  }

  /** Something else is told of an alert. */
  read({ message }: Waiting): void {
    if (message.kind === 'transition') this.rejected.delete(message.alert.fingerprint);
  }

  /** These have arrived, or are given up. */
  settled(batch: readonly Waiting[]): void {
    for (const waiting of batch) {
      if (waiting.message.kind !== 'refresh') continue;
      const { fingerprint } = waiting.message.alert;
      if (this.waiting.get(fingerprint) === waiting) this.waiting.delete(fingerprint);
    }
  }

  /** These were rejected, and others not. */
  reject(batch: readonly Waiting[]): void {
    for (const { message } of batch) {
      if (message.kind === 'notice') continue;
      this.rejected.add(message.alert.fingerprint);
      this.due.delete(message.alert.fingerprint);
    }
  }

  /** False: it is under way. */
  private dropOlder(fingerprint: string): boolean {
    const { lanes, window } = this.deps;
    const waiting = this.waiting.get(fingerprint);
    if (waiting === undefined) return true;
    if (!lanes.drop(waiting)) return false;
    window.remove(waiting);
    this.waiting.delete(fingerprint);
    return true;
  }
}
