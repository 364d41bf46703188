/** The spool, and the alerts that are known: opened as soon as the disk is well, read back, kept small. */
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
  /** Records that are whole, and no messages. */
  unreadable: number;
}

/** After so many bytes what is known is written anew: a start reads no more of the spool than that, and what waits. */
const snapshotBytes = 8 * 2 ** 20;
const segmentBytes = 16 * 2 ** 20;

export class Store {
  spool: Spool | undefined;
  private readonly deps: StoreDeps;
  private readonly file: string;
  private snapshotNext = 1;
  private bytesThen = 0;

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
      const unreadable = await this.read(spool);
      this.spool = spool;
      return { damage: spool.damage, unreadable };
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
    if (isLong || holdsUp) await this.snapshot();
    if (delivered > spool.first) {
      await spool.trim(Math.min(delivered, this.snapshotNext));
      this.bytesThen = Math.min(this.bytesThen, spool.bytes);
    }
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
    const { alerts, next } = this.deps.known;
    if (next === this.snapshotNext) return;
    const bytes = this.spool?.bytes ?? 0;
    const all = [...alerts.values()].map(({ known }) => known);
    await writeSnapshot(this.file, { next, alerts: all });
    this.snapshotNext = next;
    this.bytesThen = bytes;
  }

  private async read(spool: Spool): Promise<number> {
    const { known, clock, log } = this.deps;
    const settings = this.deps.settings();
    const moment = { now: clock.now(), uptime: clock.uptime() };
    const snapshot = await readSnapshot(this.file, log);
    const seconds = moment.uptime;
    for (const alert of snapshot?.alerts ?? []) {
      const { fingerprint } = alert.alert;
      known.alerts.set(fingerprint, { known: alert, heardAt: seconds, toldAt: seconds });
    }
    let unreadable = 0;
    for await (const { text } of spool.read(snapshot?.next ?? spool.first)) {
      const message = asMessage(text);
      if (message === undefined) unreadable += 1;
      else if (message.kind !== 'notice') {
        known.alerts.set(message.alert.fingerprint, restored(message, moment, settings));
      }
    }
    known.next = spool.next;
    this.snapshotNext = snapshot?.next ?? 1;
    return unreadable;
  }
}

function asMessage(text: string): SpooledMessage | undefined {
  try {
    return SpooledMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
