/** The spool on disk, and the snapshot of the known alerts. Reads both one record at a time, within limits of memory. */

import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SpooledMessage } from '@skolo/alerts';
import { parseJson } from '@skolo/base';
import { type Snapshot, Snapshots, Spool } from '@skolo/base/durable';
import type { Clock } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { z } from 'zod';
import { whyTooLarge } from '../receive/alert.ts';
import type { ArrivedFile } from './arrived.ts';
import type { DeadLetters } from './dead-letters.ts';
import { KnownAlert, restored, type Tracked, track } from './known-alerts.ts';
import { mostRecordMemory, type ReadLimits } from './records.ts';
import { fit } from './shorten.ts';

/** The known alerts, and the position in the spool up to which they are complete. */
interface Known {
  readonly alerts: Map<string, Tracked>;
  next: number;
}

interface StoreDeps {
  stateDir: string;
  settings(): AlertToPubsubSettings;
  deadLetters: Pick<DeadLetters, 'add'>;
  arrived: ArrivedFile;
  clock: Clock;
}

/** What was found when the spool was opened. */
export interface Opened {
  spool: Spool;
  /** Complete records that are not messages. */
  unreadable: number;
  /** Messages that are missing at the end of the spool. */
  cut: number;
  /** What was known before the oldest message of the spool is lost. */
  isSnapshotLost: boolean;
  /** Why records became dead letters. */
  oversize: string[];
}

/** After this many bytes, the known alerts are written again: a start reads at most this much of the spool, plus what waits. */
const snapshotBytes = 8 * 2 ** 20;
const segmentBytes = 16 * 2 ** 20;
const leastFreeBytes = 2 ** 20;

export class Store {
  private readonly deps: StoreDeps;
  private spool: Spool | undefined;
  private snapshots: Snapshots | undefined;
  /** Damaged records that were reported. */
  private reported = 0;

  constructor(deps: StoreDeps) {
    this.deps = deps;
  }

  /**
   * Opens the spool and reads the known alerts into `known`. Records that are too large become dead letters, and are not read again.
   *
   * @throws Error The disk, or another process, prevents it.
   */
  async open(known: Known, limits: ReadLimits): Promise<Opened> {
    const { stateDir } = this.deps;
    // A small spool has small segments, because only whole ones are deleted.
    const spool = await Spool.open(join(stateDir, 'spool'), {
      segmentBytes: Math.min(segmentBytes, this.maxBytes / 8),
    });
    try {
      const snapshots = new Snapshots(spool, () => snapshotOf(known));
      const found = await this.read(known, limits, { spool, snapshots });
      this.spool = spool;
      this.snapshots = snapshots;
      return { spool, ...found };
    } catch (error) {
      await spool.close().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Deletes what every sink has received, once its alerts are in a snapshot.
   *
   * @param delivered the first message that some sink has not received
   * @throws FileNotWritten, StorageUnavailable
   */
  async shrink(delivered: number): Promise<void> {
    await this.snapshots?.shrink(delivered, Math.min(snapshotBytes, this.maxBytes / 4));
  }

  /**
   * Checks that everything still exists.
   *
   * @throws FileNotWritten, StorageUnavailable
   */
  async check(): Promise<{
    /** The number of lost messages. */
    lost: number;
    /** Files in use were deleted; their content was written again as far as it was available. */
    isRestored: boolean;
  }> {
    const { spool, snapshots } = this;
    if (spool === undefined || snapshots === undefined) return { lost: 0, isRestored: false };
    const isRestored = await snapshots.restore();
    const lost = spool.unreadable - this.reported;
    this.reported += lost;
    return { lost, isRestored };
  }

  /**
   * After a disk problem: whether it is over. A few bytes may fit where no alert does.
   *
   * @throws StorageUnavailable
   */
  async isWritable(): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.deps.stateDir);
    if (bavail * bsize < leastFreeBytes) return false;
    await this.spool?.sync({ isProbe: true });
    return true;
  }

  /** Writes the known alerts, and the sinks' cursors. */
  async close(): Promise<void> {
    const { spool } = this;
    this.spool = undefined;
    await spool?.close();
  }

  private get maxBytes() {
    return this.deps.settings().spool.maxBytes;
  }

  private async read(
    known: Known,
    limits: ReadLimits,
    { spool, snapshots }: { spool: Spool; snapshots: Snapshots },
  ): Promise<Omit<Opened, 'spool'>> {
    const { clock, settings, deadLetters, arrived } = this.deps;
    const moment = { now: clock.now(), uptime: clock.uptime() };
    const found = await snapshots.read();
    const snapshot = found === 'lost' ? undefined : found;
    const oversize: string[] = [];
    const skipped: number[] = [];
    let isSnapshotLost = found === 'lost' || snapshot?.isWhole === false;

    /** Returns whether it is small enough. Otherwise, it becomes a dead letter. */
    async function isReadable(text: string, what: string, most = mostRecordMemory) {
      const tooLarge = whyTooLarge(text, most);
      if (tooLarge === undefined) return true;
      const why = `${what} ${tooLarge}`;
      const letter = { at: new Date(moment.now).toISOString(), from: 'spool', why, found: text };
      await deadLetters.add([letter], Number.POSITIVE_INFINITY);
      oversize.push(why);
      return false;
    }
    const keep = keeper(known.alerts, limits.known);

    for (const text of snapshot?.texts ?? []) {
      if (!(await isReadable(text, 'a known alert'))) continue;
      const alert = parsed(KnownAlert, text);
      if (alert === undefined) isSnapshotLost = true;
      else {
        fit(alert);
        isSnapshotLost = !keep(track(alert, moment.uptime)) || isSnapshotLost;
      }
    }
    let unreadable = 0;
    await arrived.open(spool, spool.next);
    const cursors = spool.cursors();
    const from = snapshot?.from ?? spool.first;
    const begin = cursors.size === 0 ? spool.first : Math.min(from, ...cursors.values());
    // What waits for a sink is only checked: the snapshot covers it.
    for await (const { seq, text } of spool.read(begin)) {
      if (arrived.isSkipped(seq)) continue;
      const most = arrived.isDelivered(seq, cursors) ? mostRecordMemory : limits.waiting;
      if (!(await isReadable(text, `spool record ${seq}`, most))) {
        skipped.push(seq);
        continue;
      }
      if (seq < from) continue;
      const message = parsed(SpooledMessage, text);
      if (message === undefined) unreadable += 1;
      // A retried dead letter contains an earlier state of its alert.
      else if (message.kind !== 'notice' && message.sink === undefined) {
        fit(message);
        isSnapshotLost = !keep(restored(message, moment, settings())) || isSnapshotLost;
      }
    }
    await arrived.skip(skipped);
    known.next = spool.next;
    const cut = Math.max(0, snapshots.next - spool.next);
    // Other messages get these numbers now, and must be read next time. What was skipped must not be.
    if (cut > 0 || oversize.length > 0) await snapshots.write();
    // Only what is in a snapshot is ever deleted from the spool. If something is missing, this service did not delete it.
    const deleted = spool.first - 1 - (spool.damage?.missing ?? 0);
    isSnapshotLost ||= !snapshot && deleted > 0;
    return { unreadable, cut, isSnapshotLost, oversize };
  }
}

/** The known alerts of this moment, each of which becomes a text only when it is written. */
function snapshotOf({ alerts, next }: Known): Snapshot {
  const known = Array.from(alerts.values(), (tracked) => tracked.known);
  function* texts(): Generator<string> {
    for (const alert of known) yield JSON.stringify(alert);
  }
  return { next, count: known.length, texts: texts() };
}

/**
 * Returns a function that adds an alert. If there is no room, it forgets the oldest ones that are over, and then this one, and returns
 * false if this one fires.
 */
function keeper(alerts: Map<string, Tracked>, most: number): (tracked: Tracked) => boolean {
  let memory = 0;
  /** Fingerprints of alerts that are over, oldest first. */
  const over = new Set<string>();
  function forget(fingerprint: string): void {
    memory -= alerts.get(fingerprint)?.bytes ?? 0;
    alerts.delete(fingerprint);
    over.delete(fingerprint);
  }
  return (tracked) => {
    const { fingerprint, status } = tracked.known.alert;
    forget(fingerprint);
    alerts.set(fingerprint, tracked);
    memory += tracked.bytes;
    if (status === 'resolved') over.add(fingerprint);
    for (const oldest of over) {
      if (memory <= most) break;
      forget(oldest);
    }
    if (memory > most) forget(fingerprint);
    return status === 'resolved' || alerts.has(fingerprint);
  };
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  return schema.safeParse(parseJson(text)).data;
}
