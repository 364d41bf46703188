/**
 * What happens in the daemon. Its parts emit; `report/` (log, what is degraded, metrics, audit log) and the streams of
 * `request/api.ts` consume. service.ts has the reactions of parts to each other.
 */
import type { Rejection } from '@skolo/api';
import type { Emit } from '@skolo/common';
import type { SessionDeps } from '@skolo/equipment';
import type { OutletReading } from '@skolo/models/outlets';
import type { CycleRecord, PendingOn, Phase } from './state/records.ts';

export type PowerEvent =
  /** A cycle has changed, or was accepted (without `previous`): in memory, and in the journal where that comes first. */
  | { type: 'cycle'; record: CycleRecord; previous?: Phase }
  /** A target of a request was rejected. */
  | { type: 'rejected'; rejection: Rejection }
  /** A controller begins or ceases to answer; `detail`: why it does not. */
  | { type: 'controller'; controller: string; state: 'up' | 'down'; detail: string | undefined }
  | { type: 'read'; controller: string; readings: ReadonlyMap<string, OutletReading> }
  | { type: 'ssh'; connection: Parameters<NonNullable<SessionDeps['onConnected']>>[0] }
  /** A controller turned on what was off before. */
  | { type: 'turned-on'; controller: string }
  /** An outlet cannot be turned on; the attempts go on. Also at a restart. */
  | { type: 'stuck-off'; pendingOn: PendingOn; why: string }
  /** An attempt to turn an outlet on failed; others follow. */
  | { type: 'on-failed'; pendingOn: PendingOn; why: string }
  /** An outlet is on again, or no longer waited for. */
  | { type: 'pending-on-ended'; pendingOn: PendingOn; wasStuck: boolean }
  /** What came of a decision of automatic repair; without `machine`: of the internet connection. */
  | { type: 'repair'; outcome: string; machine?: string; tries?: number; why?: string };

export type EmitPower = Emit<PowerEvent>;
