/** The journal's records: cycles, outlets to turn on again or to keep off, holds, requests, repairs. Parsed when read. */
import { CycleMode, CycleStep, Hold, Outcome, PowerAction, StepRecord, Time } from '@skolo/api';
import type { OutletReading } from '@skolo/equipment/models/outlets';
import { z } from 'zod';

/** A cycle's phase. `ready` waits for its turn to draw current; `going-down` waits for a machine that reboots itself. */
export const Phase = z.enum([
  'queued',
  'check',
  'soft-reboot',
  'going-down',
  'contact',
  'ready',
  'turn-off',
  'off',
  'turn-on',
  'see-back',
  'put-back',
  'finished',
]);
export type Phase = z.output<typeof Phase>;

/** How an outlet was on before, and what turning it on needs, as in `OutletReading`. */
export const Restore = z.object({
  mode: z.string().exactOptional(),
  via: z.string().max(1000).exactOptional(),
});
export type Restore = z.output<typeof Restore>;

/** What a reading shows of it. */
export function restoreOf({ mode, via }: Pick<OutletReading, 'mode' | 'via'>): Restore {
  return { ...(mode !== undefined && { mode }), ...(via !== undefined && { via }) };
}

/** An outlet that feeds the target. */
export const Feed = z.object({
  controller: z.string(),
  outlet: z.string(),
  ...Restore.shape,
});
export type Feed = z.output<typeof Feed>;

/** An outlet that a person turned off. */
export const SwitchedOff = z.object({
  controller: z.string(),
  outlet: z.string(),
  /** The target that was requested. The outlet may feed something else by now. */
  target: z.string().exactOptional(),
  by: z.string(),
  at: Time,
  reason: z.string(),
  ...Restore.shape,
  /** From another computer's journal: void if the outlet reads on. */
  inherited: z.literal(true).exactOptional(),
});
export type SwitchedOff = z.output<typeof SwitchedOff>;

/** When an outlet was seen to supply power, so that it has a meter. Renewed once a day. */
export const Supplied = z.object({
  controller: z.string(),
  outlet: z.string(),
  watts: z.number(),
  at: Time,
});

/**
 * What is known about the commands of equipment that rack.yaml or a table describes. Without a record, they are unproven. An edited
 * description has another key.
 */
export const DescriptionRecord = z.object({
  key: z.string(),
  state: z.enum(['confirmed', 'inverted']),
  /** The cycle that showed it, and its target. */
  cycle: z.string(),
  target: z.string(),
  at: Time,
});
export type DescriptionRecord = z.output<typeof DescriptionRecord>;

/** Of outlets whose description is unproven. */
export const Unproven = z.object({
  /** All outlets have this description; absent: they differ, so the target cannot show which one is right. */
  key: z.string().exactOptional(),
  /** Machines on other outlets of the same equipment that responded before the outlets were turned off. */
  neighbours: z.array(z.string()).exactOptional(),
  /** The target became silent while its outlets were off, although it had responded before. */
  fellSilent: z.literal(true).exactOptional(),
  /** It responded at the end of the time in which its outlets were off. */
  upWhileOff: z.literal(true).exactOptional(),
  /** It did not return, so its outlets were turned on once more. */
  onAgain: z.literal(true).exactOptional(),
});
export type Unproven = z.output<typeof Unproven>;

/** Written when it begins and removed when it ends. A job that continues changes only memory. */
export const HoldRecord = Hold.extend({
  /** The address of the client that said so. */
  from: z.string().exactOptional(),
  /** Its times in seconds since that boot, which no change of the wall clock moves. */
  boot: z.object({ id: z.string(), since: z.number(), until: z.number() }).exactOptional(),
  /** Since when one job has followed another on the target. */
  jobsSince: Time.exactOptional(),
  /** For how long a job counts after it was last said to continue. */
  seconds: z.number().exactOptional(),
});
export type HoldRecord = z.output<typeof HoldRecord>;

/** Prefix of `by` in requests of pdudaemon's clients, also in existing journals. People's names do not contain spaces. */
export const endpointName = 'pdudaemon endpoint';

/** `by` of such a client, which is known by its address only. */
export function clientName(address: string): string {
  return `${endpointName}, ${address}`;
}

/** One action on one target, from the request to its outcome. */
export const CycleRecord = z.object({
  id: z.string(),
  /** Incremented per request: the order of requests, regardless of the wall clock. */
  number: z.int(),
  /** Shared by all cycles of one request: the number of the first. */
  batch: z.int(),
  target: z.string(),
  action: PowerAction,
  mode: CycleMode,
  feeds: z.array(Feed),
  /** Off, wait and on by the device itself: the only possibility for devices that this daemon depends on. */
  nativeOnly: z.boolean(),
  /** The request or rack.yaml sets the off-time; a device with its own off-time is then not asked to cycle by itself. */
  offSecondsGiven: z.boolean(),
  offSeconds: z.number(),
  reason: z.string(),
  by: z.string(),
  origin: z.enum(['person', 'agent', 'endpoint', 'repair', 'internet']),
  force: z.boolean(),
  /** Only the USB port itself is turned off, whatever shares its power. */
  alone: z.literal(true).exactOptional(),
  requestedAt: Time,
  startedAt: Time.exactOptional(),
  finishedAt: Time.exactOptional(),
  phase: Phase,
  /** The machine was asked to reboot, or an outlet was touched. */
  begun: z.boolean(),
  /** It has begun, but so far only requested a soft reboot: no outlet was touched. */
  softOnly: z.literal(true).exactOptional(),
  /** Complete cycles begun for this request. */
  attempt: z.int(),
  /** All feeds were seen off at the same time in this attempt. */
  sawOff: z.boolean(),
  /** The machine was seen down in this attempt. */
  sawDown: z.boolean(),
  /** How, to follow "it": `refused connections`; and when it was first seen so in this attempt. */
  down: z.object({ how: z.string(), at: Time.exactOptional() }).exactOptional(),
  /** It went down while being watched, in this attempt: since before its outlets were touched. */
  wentDown: z.boolean().exactOptional(),
  /**
   * No reading proves that the outlet was off: the device did not answer, its own cycle was over too soon, or it is a USB hub, whose reading
   * proves nothing. Only the target can.
   */
  unseenOff: z.string().exactOptional(),
  /** What the target has shown about the description of its outlets, in this attempt; absent: they need no confirmation. */
  unproven: Unproven.exactOptional(),
  /** Jobs that it ended, because it was forced or is a person's off, for people. */
  despite: z.string().exactOptional(),
  /** The person proceeds although others are working on the target's incident. */
  alongside: z.literal(true).exactOptional(),
  /** The boot that should end. */
  bootId: z.string().exactOptional(),
  /** The machine was asked to reboot, and the daemon died then: whether it did may be unknown. */
  interrupted: z.boolean(),
  /** It was not watched for a while after its outlets were touched, because the daemon was restarted. */
  unwatched: z.boolean(),
  /** What went wrong, reported once the power is on again. */
  failure: z.object({ step: CycleStep, detail: z.string() }).exactOptional(),
  /** Other outlets that changed when its own were switched, although nobody requested that. */
  moved: z.object({ step: CycleStep, detail: z.string() }).exactOptional(),
  /** The outcome without that change: what it did to its own outlets remains in effect. */
  otherwise: Outcome.exactOptional(),
  /** Outlets that reported a fault when it was not seen back, or was seen on: `switch-1/14: Fault`. */
  fault: z.string().exactOptional(),
  outcome: Outcome.exactOptional(),
  failedStep: CycleStep.exactOptional(),
  detail: z.string().exactOptional(),
  steps: z.array(StepRecord),
  /** A failed off that remains in effect: it is carried out once that is possible. */
  pending: z.literal(true).exactOptional(),
  /** The offs that a program's on replaced: they are restored if it fails. */
  previously: z.array(SwitchedOff).exactOptional(),
});
export type CycleRecord = z.output<typeof CycleRecord>;

/** An outlet that must be turned on again: written before it is turned off, deleted once seen on. */
export const PendingOn = z.object({
  controller: z.string(),
  outlet: z.string(),
  ...Restore.shape,
  since: Time,
  /** The cycle that turned it off. */
  cycle: z.string(),
  /** Several attempts to turn it on have failed; attempts continue. */
  stuck: z.object({ since: Time, why: z.string() }).exactOptional(),
});
export type PendingOn = z.output<typeof PendingOn>;

/**
 * Whether an on or off takes effect when accepted, whatever its result: an operator's does. A program's request ends with the answer, so
 * that a failed request leaves nothing to be done later.
 */
export function isStanding({ action, origin }: Pick<CycleRecord, 'action' | 'origin'>): boolean {
  return action !== 'cycle' && origin === 'person';
}

/** What automatic repair has tried with a machine. */
export const RepairRecord = z.object({
  target: z.string(),
  tries: z.int(),
  lastTryAt: Time.exactOptional(),
  /** ID of the last try's cycle. */
  cycle: z.string().exactOptional(),
  needsAttention: z.string().exactOptional(),
  /** A try was only noted: void once skolo acts. */
  notDone: z.literal(true).exactOptional(),
});
export type RepairRecord = z.output<typeof RepairRecord>;

/** `switch-1/14` */
export function feedKey({ controller, outlet }: { controller: string; outlet: string }): string {
  return `${controller}/${outlet}`;
}
