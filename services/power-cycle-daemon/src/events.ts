/**
 * The daemon's events. Its parts emit them; `react` in service.ts lists what follows from each. Requests that follow a cycle consume them, too.
 */
import type { Rejection } from '@skolo/api';
import type { Emit } from '@skolo/common';
import type { OutletReading } from '@skolo/equipment/models/outlets';
import type { SessionDeps } from '@skolo/equipment/transports';
import type { CycleRecord, PendingOn, Phase } from './state/records.ts';

/** Results of automatic repair decisions. */
export const repairOutcomes = [
  'asked',
  'would-have',
  'answers',
  'joined',
  'rejected',
  'failed',
  'needs-attention',
  'shared-down',
  'many-down',
  'driver-excluded',
  'internet',
  'boot',
  'no-outlet',
  'not-native',
] as const;
export type RepairOutcome = (typeof repairOutcomes)[number];

export type PowerEvent =
  /** A cycle has changed, or was accepted (without `previous`): in memory, and in the journal if that comes first. */
  | { type: 'cycle'; record: CycleRecord; previous?: Phase }
  /** A target of a request was rejected. */
  | { type: 'rejected'; rejection: Rejection }
  /** A controller starts or stops responding; `detail`: why it does not. */
  | { type: 'controller'; controller: string; state: 'up' | 'down'; detail: string | undefined }
  | { type: 'read'; controller: string; readings: ReadonlyMap<string, OutletReading> }
  | { type: 'ssh'; connection: Parameters<NonNullable<SessionDeps['onConnected']>>[0] }
  /** A controller turned on an outlet that was off. */
  | { type: 'turned-on'; controller: string }
  /** An outlet cannot be turned on; attempts continue. Also emitted after a restart. */
  | { type: 'stuck-off'; pendingOn: PendingOn; why: string }
  /** An attempt to turn an outlet on failed; more follow. */
  | { type: 'on-failed'; pendingOn: PendingOn; why: string }
  /** An outlet is on again, or no longer awaited. */
  | { type: 'pending-on-ended'; pendingOn: PendingOn; wasStuck: boolean }
  /** The result of an automatic repair decision; without `machine`: about the internet connection. */
  | { type: 'repair'; outcome: RepairOutcome; machine?: string; tries?: number; why?: string };

export type EmitPower = Emit<PowerEvent>;
