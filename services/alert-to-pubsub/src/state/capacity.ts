/**
 * Decides whether alerts are accepted, or rejected with 503: the disk works, the spool is not full, and no sink has failed for too long.
 * Also which waiting messages are dropped.
 */

import type { DegradedCode } from '@skolo/api/probes';
import { errorText } from '@skolo/base';
import type { Spool } from '@skolo/base/durable';
import { hangingDisk } from '@skolo/base/durable/disk';
import { degradedCode } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { EmitAlertEvent } from '../events.ts';

interface CapacityDeps {
  settings(): Pick<AlertToPubsubSettings, 'spool'>;
  emit: EmitAlertEvent;
}

/** The sinks, as far as capacity depends on them. */
interface Backlogs {
  /** How long some sink has accepted nothing while messages of the spool wait. */
  readonly outageSeconds: number;
  /** Drops messages that wait only for sinks that may lose messages. */
  dropWaiting(): void;
}

/** A message that seems to have waited for longer was written before the clock was set. */
const tenYears = 10 * 365 * 86_400;

export class Capacity {
  private readonly deps: CapacityDeps;
  private opened: { spool: Pick<Spool, 'bytes'>; sinks: Backlogs } | undefined;
  /** Why there is no spool. */
  private whyClosed: string | undefined = 'the spool has not been opened yet';
  /** Why the disk rejected the last change. */
  private diskError: string | undefined;
  private code: DegradedCode | undefined;

  constructor(deps: CapacityDeps) {
    this.deps = deps;
  }

  get bytes(): number {
    return this.opened?.spool.bytes ?? 0;
  }

  /** Why nothing can be accepted now, for people. */
  get rejecting(): string | undefined {
    return this.whyClosed ?? this.diskError ?? this.rejection(0);
  }

  /** The disk rejected the last change. */
  get hasDiskError(): boolean {
    return this.diskError !== undefined;
  }

  /** Reports whether alerts can be accepted now: the spool fills up and drains by itself. */
  report(): void {
    this.deps.emit({ type: 'degraded', what: 'spool', why: this.rejecting, code: this.code });
  }

  /** Why this many more bytes cannot be accepted, for people. */
  rejection(bytes: number): string | undefined {
    const why = this.whyClosed ?? hangingDisk()?.why;
    if (why !== undefined) return why;
    if (this.whyFull(bytes) === undefined) return undefined;
    this.opened?.sinks.dropWaiting();
    return this.whyFull(bytes);
  }

  open(spool: Pick<Spool, 'bytes'>, sinks: Backlogs): void {
    this.opened = { spool, sinks };
    this.whyClosed = undefined;
    this.code = undefined;
    this.deps.emit({ type: 'degraded', what: 'spool', why: undefined });
  }

  /** The spool cannot be opened. */
  closed(error: unknown): void {
    this.whyClosed = errorText(error);
    this.code = degradedCode(error);
    this.deps.emit({ type: 'degraded', what: 'spool', why: this.whyClosed, code: this.code });
  }

  /** The result of a write: undefined, or the error. */
  wrote(error: unknown): void {
    this.diskError = error === undefined ? undefined : errorText(error);
    this.code = degradedCode(error);
    this.deps.emit({ type: 'degraded', what: 'spool', why: this.diskError, code: this.code });
  }

  private whyFull(bytes: number): string | undefined {
    const { maxBytes, maxAgeHours } = this.deps.settings().spool;
    if (this.bytes + bytes > maxBytes) {
      return `the spool is full (spool.maxBytes: ${maxBytes}), because its messages cannot be delivered; to see the reason, run skolo alerts status`;
    }
    const seconds = this.opened?.sinks.outageSeconds ?? 0;
    if (seconds <= maxAgeHours * 3600 || seconds > tenYears) return undefined;
    return `a sink has accepted nothing for ${Math.round(seconds / 3600)} h (spool.maxAgeHours: ${maxAgeHours}); to see the reason, run skolo alerts status`;
  }
}
