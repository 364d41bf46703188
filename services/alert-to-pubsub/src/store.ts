/** The spool, and the alerts that are known: opened as soon as the disk is well, read back, kept small. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SpooledMessage } from '@skolo/alerts';
import { type Clock, errorText, type Logger, pause } from '@skolo/common';
import { Snapshots, Spool, type SpoolDamage } from '@skolo/durable';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { z } from 'zod';
import { migrateAlertsFile } from './migrate-alerts-file.ts';
import { KnownAlert, restored, type Tracked } from './state.ts';

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
  private snapshots: Snapshots | undefined;
  private lostThen = 0;

  constructor(deps: StoreDeps) {
    this.deps = deps;
  }

  /** Tries once. Undefined, after telling why, when it cannot be had. */
  async tryOpen(): Promise<Opened | undefined> {
    let spool: Spool | undefined;
    try {
      // A small spool has small segments: only whole ones are deleted.
      spool = await Spool.open(join(this.deps.stateDir, 'spool'), {
        segmentBytes: Math.min(segmentBytes, this.maxBytes / 8),
      });
      await migrateAlertsFile(this.deps.stateDir);
      const snapshots = new Snapshots(spool, () => this.take());
      const found = await this.read(spool, snapshots);
      this.spool = spool;
      this.snapshots = snapshots;
      const { damage, tornBytes } = spool;
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
   * @throws FileNotWritten, StorageUnavailable
   */
  async shrink(delivered: number): Promise<void> {
    await this.snapshots?.shrink(delivered, Math.min(snapshotBytes, this.maxBytes / 4));
  }

  /**
   * Sees whether all is still there.
   *
   * @throws FileNotWritten, StorageUnavailable
   */
  async look(): Promise<Looked> {
    const { spool, snapshots } = this;
    if (spool === undefined || snapshots === undefined) return { lost: 0, isRestored: false };
    const isRestored = await snapshots.restore();
    const lost = spool.unreadable - this.lostThen;
    this.lostThen += lost;
    return { lost, isRestored };
  }

  /**
   * After trouble with the disk: whether it is over. A few bytes may have room where no alert has.
   *
   * @throws StorageUnavailable
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

  private take() {
    const { alerts, next } = this.deps.known;
    return { next, texts: [...alerts.values()].map(({ known }) => JSON.stringify(known)) };
  }

  private async read(
    spool: Spool,
    snapshots: Snapshots,
  ): Promise<Omit<Opened, 'damage' | 'tornBytes'>> {
    const { known, clock, log } = this.deps;
    const settings = this.deps.settings();
    const moment = { now: clock.now(), uptime: clock.uptime() };
    const found = await snapshots.read();
    const snapshot = found === 'lost' ? undefined : found;
    const seconds = moment.uptime;
    let isSnapshotLost = found === 'lost' || snapshot?.isWhole === false;
    for (const text of snapshot?.texts ?? []) {
      const alert = parsed(KnownAlert, text);
      if (alert === undefined) isSnapshotLost = true;
      else {
        const { fingerprint } = alert.alert;
        known.alerts.set(fingerprint, { known: alert, heardAt: seconds, toldAt: seconds });
      }
    }
    if (isSnapshotLost) log.error({ lost: snapshot?.lost }, 'snapshot is damaged');
    let unreadable = 0;
    for await (const { text } of spool.read(snapshot?.from ?? spool.first)) {
      const message = parsed(SpooledMessage, text);
      if (message === undefined) unreadable += 1;
      // A dead letter that was retried says how an alert was once.
      else if (message.kind !== 'notice' && message.sink === undefined) {
        known.alerts.set(message.alert.fingerprint, restored(message, moment, settings));
      }
    }
    known.next = spool.next;
    const cut = Math.max(0, snapshots.next - spool.next);
    // Other messages get these numbers now, and are to be read the next time.
    if (cut > 0) await snapshots.write();
    // Only what a snapshot has is ever deleted from the spool. What is missing was not deleted by this service.
    const deleted = spool.first - 1 - (spool.damage?.missing ?? 0);
    return { unreadable, cut, isSnapshotLost: isSnapshotLost || (!snapshot && deleted > 0) };
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
