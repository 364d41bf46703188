/** The spool, and the alerts that are known: opened as soon as the disk is well, read back, kept small. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SpooledMessage } from '@skolo/alerts';
import { type Clock, errorText, type Logger, pause } from '@skolo/common';
import { Spool, type SpoolDamage } from '@skolo/durable';
import type { AlertToPubsubSettings } from '@skolo/rack';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { restored, type Tracked } from './state.ts';

/** What is known, and up to where of the spool. */
export interface Known {
  readonly alerts: Map<string, Tracked>;
  next: number;
}

export interface StoreDeps {
  stateDir: string;
  settings(): AlertToPubsubSettings;
  known: Known;
  clock: Clock;
  log: Logger;
  /** Pause between two attempts to open it, in milliseconds. */
  retryMs: number;
  signal: AbortSignal;
  onTrouble(why: string): void;
}

/** What was found when it was opened. */
export interface Opened {
  damage: SpoolDamage | undefined;
  /** Bytes at the end of the spool that were not acknowledged, and are kept in a file. */
  tornBytes: number;
  /** Records that are whole, and no messages. */
  unreadable: number;
  /** Messages at the end of the spool that there were, and are not there. */
  cut: number;
  /** What was known before the oldest message of the spool is lost. */
  isSnapshotLost: boolean;
}

/** What was found since then. */
export interface Looked {
  /** Messages that are lost. */
  lost: number;
  /** Somebody has deleted what is in use; it was written anew, as far as it was there. */
  isRestored: boolean;
}

/** After so many bytes what is known is written anew: a start reads no more of the spool than that, and what waits. */
const snapshotBytes = 8 * 2 ** 20;
const segmentBytes = 16 * 2 ** 20;
const leastFreeBytes = 2 ** 20;

export class Store {
  spool: Spool | undefined;
  private readonly deps: StoreDeps;
  private readonly file: string;
  private snapshotNext = 1;
  private bytesThen = 0;
  private lostThen = 0;
  /** Something damaged is still in the spool, and would be reported again after the next start. */
  private isDamaged = false;
  private restoredThen = 0;

  constructor(deps: StoreDeps) {
    this.deps = deps;
    this.file = join(deps.stateDir, 'alerts.json');
  }

  /** Tries once. Undefined, after telling why, when it cannot be had. */
  async tryOpen(): Promise<Opened | undefined> {
    let spool: Spool | undefined;
    try {
      // A small spool has small segments: only whole ones are deleted.
      spool = await Spool.open(join(this.deps.stateDir, 'spool'), {
        segmentBytes: Math.min(segmentBytes, this.maxBytes / 8),
      });
      const found = await this.read(spool);
      this.spool = spool;
      const { damage, tornBytes } = spool;
      this.isDamaged = damage !== undefined;
      return { damage, tornBytes, ...found };
    } catch (error) {
      await spool?.close().catch(() => undefined);
      this.deps.onTrouble(errorText(error));
      return undefined;
    }
  }

  /** Tries until it is open. Undefined when the service stops first. */
  async open(): Promise<Opened | undefined> {
    const { retryMs, signal } = this.deps;
    while (!signal.aborted) {
      await pause(retryMs, signal).catch(() => undefined);
      const opened = signal.aborted ? undefined : await this.tryOpen();
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  /**
   * Deletes what every sink has got, once it is no longer needed to know the alerts either.
   *
   * @param delivered the first message that some sink has not got
   * @throws FileNotWritten, SpoolUnavailable
   */
  async shrink(delivered: number): Promise<void> {
    const { spool, snapshotNext } = this;
    if (spool === undefined) return;
    const much = Math.min(snapshotBytes, this.maxBytes / 4);
    const isLong = spool.bytes - this.bytesThen > much;
    const holdsUp = spool.bytes > much && delivered > snapshotNext;
    const isAllDelivered = delivered === spool.next;
    const isCleared = this.isDamaged && isAllDelivered;
    if (isLong || holdsUp || isCleared) await this.snapshot();
    if (delivered > spool.first || isCleared) {
      await spool.trim(Math.min(delivered, this.snapshotNext));
      this.bytesThen = Math.min(this.bytesThen, spool.bytes);
    }
    if (isCleared) this.isDamaged = false;
  }

  /**
   * Sees whether all is still there.
   *
   * @throws FileNotWritten, SpoolUnavailable
   */
  async look(): Promise<Looked> {
    const { spool } = this;
    if (spool === undefined) return { lost: 0, isRestored: false };
    const restored = await spool.restore();
    const isRestored = restored > this.restoredThen;
    // What was deleted with the spool.
    if (isRestored) await this.writeSnapshot();
    this.restoredThen = restored;
    const lost = spool.unreadable - this.lostThen;
    this.lostThen += lost;
    return { lost, isRestored };
  }

  /**
   * After trouble with the disk: whether it is over. A few bytes may have room where no alert has.
   *
   * @throws SpoolUnavailable
   */
  async isWell(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.deps.stateDir);
    if (bavail * bsize < leastFreeBytes) return false;
    await this.spool?.sync({ isProbe: true });
    return true;
  }

  /** Writes what is known, and the places of the sinks. */
  async close(): Promise<void> {
    const { spool } = this;
    this.spool = undefined;
    await spool?.close();
  }

  private get maxBytes() {
    return this.deps.settings().spool.maxBytes;
  }

  private async snapshot() {
    if (this.deps.known.next !== this.snapshotNext) await this.writeSnapshot();
  }

  private async writeSnapshot() {
    const { alerts, next } = this.deps.known;
    const bytes = this.spool?.bytes ?? 0;
    const all = [...alerts.values()].map(({ known }) => known);
    await writeSnapshot(this.file, { next, alerts: all });
    this.snapshotNext = next;
    this.bytesThen = bytes;
  }

  private async read(spool: Spool): Promise<Omit<Opened, 'damage' | 'tornBytes'>> {
    const { known, clock, log } = this.deps;
    const settings = this.deps.settings();
    const moment = { now: clock.now(), uptime: clock.uptime() };
    const found = await readSnapshot(this.file, log);
    const snapshot = found === 'broken' ? undefined : found;
    const seconds = moment.uptime;
    for (const alert of snapshot?.alerts ?? []) {
      const { fingerprint } = alert.alert;
      known.alerts.set(fingerprint, { known: alert, heardAt: seconds, toldAt: seconds });
    }
    let unreadable = 0;
    for await (const { text } of spool.read(snapshot?.next ?? spool.first)) {
      const message = asMessage(text);
      if (message === undefined) unreadable += 1;
      // A dead letter that was retried says how an alert was once.
      else if (message.kind !== 'notice' && message.sink === undefined) {
        known.alerts.set(message.alert.fingerprint, restored(message, moment, settings));
      }
    }
    known.next = spool.next;
    this.snapshotNext = snapshot?.next ?? 1;
    const cut = Math.max(0, this.snapshotNext - spool.next);
    // Other messages get these numbers now, and are to be read the next time.
    if (cut > 0) await this.writeSnapshot();
    // Only what a snapshot has is ever deleted from the spool. What is missing was not deleted by this service.
    const deleted = spool.first - 1 - (spool.damage?.missing ?? 0);
    const isSnapshotLost = found === 'broken' || (snapshot === undefined && deleted > 0);
    return { unreadable, cut, isSnapshotLost };
  }
}

function asMessage(text: string): SpooledMessage | undefined {
  try {
    return SpooledMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
