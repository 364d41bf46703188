/**
 * A power cycle as a state machine: decides the next step, that a running task is not interrupted unless forced, when a cycle ends, and with
 * which outcome. Nothing here waits, sends requests or writes. The caller journals the state before it does the work of the phase, which ends with one of the events that `inPhase`
 * accepts.
 *
 *     queued → check → soft-reboot → going-down ──────────────────────┐
 *                 └──────────┴──→ contact → ready → turn-off → off → turn-on → see-back → finished
 *                                                                   └───── put-back ←┘
 *
 * From `turn-off` on, the only exit is through `turn-on`. Any error is kept as `failure` and reported once the power has been seen on
 * again. Only from `put-back`, which tries whether a description has inverted on and off, the outlets may remain as they are.
 */
import type { CycleStep, Outcome } from '@skolo/api';
import { whyUnproven } from '../rules/descriptions.ts';
import {
  type CycleRecord,
  isStanding,
  type Phase,
  type Restore,
  type Unproven,
} from '../state/records.ts';

export type CycleEvent =
  | { is: 'begin' }
  /** `busy`: jobs that others have announced there. */
  | {
      is: 'checked';
      task: 'running' | 'idle' | 'unknown';
      text: string;
      bootId?: string;
      busy?: string;
    }
  | { is: 'soft-sent'; text: string }
  | { is: 'soft-impossible'; text: string }
  /** `how`: to follow "it"; absent: it was not seen, but another boot is. */
  | { is: 'went-down'; text: string; how?: string }
  | { is: 'not-down'; text: string }
  | { is: 'contacted'; modes: ReadonlyMap<string, Restore>; text: string }
  | { is: 'contact-failed'; text: string }
  /** `unproven`: what it must show about the description of its outlets; `busy`: jobs that it does not wait for. */
  | { is: 'admitted'; unproven?: Unproven; busy?: string }
  /** A controller stopped responding while the cycle waited for its turn. */
  | { is: 'out-of-reach' }
  /** Since the request, it was held, or rack.yaml was edited. */
  | { is: 'forbidden'; text: string }
  /** The machine was given a task, or a job was announced there, while the cycle waited. */
  | { is: 'task-begun'; text: string }
  /** At any time: only the list of steps changes. */
  | { is: 'noted'; text: string }
  /** `wasUp`: it went down while being watched. */
  | { is: 'seen-down'; text: string; how: string; wasUp: boolean }
  /** At any time: other outlets of the device have changed although nobody requested that. Its outcome will be a failure. */
  | { is: 'moved'; text: string }
  /** Before an unproven description is tried: machines on other outlets of the same equipment. */
  | { is: 'neighbours-up'; names: readonly string[] }
  /** While the device's own cycle runs. */
  | { is: 'off-natively'; text: string }
  /** `unverified`: the text of a reading that proves nothing. */
  | { is: 'seen-off'; text: string; unverified?: true }
  | { is: 'off-failed'; text: string }
  /** The device's own cycle may have run, or it accepted the off, but no reading showed the outlet off. */
  | { is: 'off-unseen'; text: string }
  | { is: 'cycled-natively'; text: string }
  /** The device's own cycle turned it off, but did not turn it on in time. */
  | { is: 'left-off'; text: string }
  /** `isUp`: the target still responds. */
  | { is: 'off-waited'; isUp?: boolean }
  /** `fault`: outlets that reported a fault. */
  | { is: 'seen-on'; text: string; fault?: string; toggles?: string }
  | { is: 'stuck'; text: string }
  /** Not seen on, and not retried. */
  | { is: 'on-failed'; text: string }
  /** `proof`: the evidence that it was off. */
  | { is: 'back'; text: string; proof?: string }
  | { is: 'not-back'; text: string; fault?: string }
  | { is: 'not-visible'; text: string; fault?: string }
  /** It responded while its outlets were off, and became silent when they were turned on. */
  | { is: 'silent-at-on'; text: string; how: string }
  /** Turned off again: it is back, or is not. */
  | { is: 'back-at-off' | 'silent-at-off'; text: string }
  | { is: 'cancelled'; text: string }
  /** A bug of ours: an unexpected exception. */
  | { is: 'broke'; text: string }
  /** A new process read the journal. */
  | { is: 'restarted' }
  /** The journal came from another computer and may be outdated. */
  | { is: 'inherited'; text: string };

/** What does not change during a cycle. */
export interface CycleFacts {
  now: number;
  /** Whether anything can show that the target is back. */
  canBeSeen: boolean;
  /** Number of complete cycles for one request. */
  tries: number;
}

/** The cycle's step, for people. */
export function stepOf({ phase, steps }: CycleRecord): CycleStep {
  switch (phase) {
    case 'ready':
      return 'queued';
    case 'going-down':
      return 'soft-reboot';
    case 'finished':
      return steps.at(-1)?.step ?? 'queued';
    default:
      return phase;
  }
}

/** Whether outlets may be off because of the cycle. */
export function holdsPower({ phase }: CycleRecord): boolean {
  return phase === 'turn-off' || phase === 'off' || phase === 'turn-on' || phase === 'put-back';
}

/** Whether nothing has been touched yet and no off is in effect. */
export function hasNotBegun(record: CycleRecord): boolean {
  const { begun, phase } = record;
  return !isStanding(record) && !begun && phase !== 'soft-reboot' && phase !== 'finished';
}

/** @throws Error The event is not valid in this phase: a bug in the caller. */
export function next(record: CycleRecord, event: CycleEvent, facts: CycleFacts): CycleRecord {
  switch (event.is) {
    case 'restarted':
      return afterRestart(unwatched(record), facts);
    case 'inherited':
      return inherited(record, event.text, facts);
    // Reported at any time by whatever watches the machine.
    case 'seen-down': {
      const seen = withFall(withDown(record, event, facts), event);
      return withStep({ ...seen, ...(event.wasUp && { wentDown: true }) }, facts, event.text);
    }
    case 'off-natively':
      return withStep({ ...record, sawOff: true }, facts, event.text);
    case 'moved': {
      const moved = { step: stepOf(record), detail: event.text };
      return withStep({ moved, ...record }, facts, event.text);
    }
    case 'noted':
      return withStep(record, facts, event.text);
    case 'neighbours-up':
      return {
        ...record,
        ...(record.unproven && withShown(record, { neighbours: [...event.names] })),
      };
    case 'cancelled':
      if (hasNotBegun(record)) return finish(record, 'cancelled', facts, event.text);
      break;
    case 'broke':
      if (record.phase !== 'turn-on') return broke(record, event.text, facts);
      break;
    default: {
      const after = inPhase(record, event, facts);
      if (after !== undefined) return after;
    }
  }
  throw new Error(`cycle ${record.id}: ${event.is} in phase ${record.phase}`);
}

/** Undefined: the event does not belong to this phase. */
function inPhase(
  record: CycleRecord,
  event: CycleEvent,
  facts: CycleFacts,
): CycleRecord | undefined {
  switch (record.phase) {
    case 'queued':
      return event.is === 'begin' ? start(record, facts) : undefined;
    case 'check':
      return event.is === 'checked' ? checked(record, event, facts) : undefined;
    case 'soft-reboot': {
      if (event.is === 'soft-impossible') return afterSoft(record, event.text, facts);
      if (event.is !== 'soft-sent') return undefined;
      return go({ ...record, begun: true, softOnly: true }, 'going-down', facts, event.text);
    }
    case 'going-down': {
      if (event.is === 'not-down') return afterSoft(record, event.text, facts);
      if (event.is !== 'went-down') return undefined;
      return go(withDown(record, event, facts), 'see-back', facts, event.text);
    }
    case 'contact':
      if (event.is === 'contacted') return contacted(record, event, facts);
      if (event.is === 'contact-failed') return failPending(record, event.text, facts);
      if (event.is === 'task-begun') return finish(record, 'busy', facts, event.text);
      return event.is === 'forbidden' ? fail(record, event.text, facts) : undefined;
    case 'ready': {
      if (event.is === 'out-of-reach') return go(record, 'contact', facts);
      if (event.is === 'forbidden') return fail(record, event.text, facts);
      if (event.is === 'task-begun') return finish(record, 'busy', facts, event.text);
      if (event.is !== 'admitted') return undefined;
      return go(admittedNow(record, event), record.action === 'on' ? 'turn-on' : 'turn-off', facts);
    }
    case 'turn-off':
      return turningOff(record, event, facts);
    case 'off':
      if (event.is !== 'off-waited') return undefined;
      return go(event.isUp ? withShown(record, { upWhileOff: true }) : record, 'turn-on', facts);
    case 'turn-on':
      if (event.is === 'seen-on')
        return seenOn(withToggle(withFault(record, event), event), event.text, facts);
      if (event.is === 'stuck') return finish(record, 'stuck-off', facts, event.text);
      return event.is === 'on-failed' ? fail(record, event.text, facts) : undefined;
    case 'see-back':
      return seeingBack(record, event, facts);
    case 'put-back': {
      if (event.is === 'back-at-off') return finish(record, 'inverted', facts, event.text);
      if (event.is !== 'silent-at-off') return undefined;
      const failure = { step: 'see-back' as const, detail: event.text };
      return go({ ...record, failure }, 'turn-on', facts, event.text);
    }
    case 'finished':
      return undefined;
  }
}

function admittedNow(
  record: CycleRecord,
  { unproven, busy }: Extract<CycleEvent, { is: 'admitted' }>,
): CycleRecord {
  const { unproven: _, softOnly: __, ...rest } = record;
  return { ...withJobs(rest, busy), begun: true, ...(unproven && { unproven }) };
}

/** Evidence about its description, if that is unproven. */
function withShown(record: CycleRecord, shown: Unproven): CycleRecord {
  const { unproven } = record;
  return unproven === undefined ? record : { ...record, unproven: { ...unproven, ...shown } };
}

/** On turned it off: reported once it is on again. */
function withToggle(
  record: CycleRecord,
  { toggles }: Extract<CycleEvent, { is: 'seen-on' }>,
): CycleRecord {
  if (toggles === undefined) return record;
  return { ...record, failure: record.failure ?? { step: 'turn-on', detail: toggles } };
}

function start(record: CycleRecord, facts: CycleFacts): CycleRecord {
  const started = { ...record, startedAt: time(facts), attempt: 1 };
  return go(started, record.action === 'on' ? 'contact' : 'check', facts);
}

function checked(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'checked' }>,
  facts: CycleFacts,
): CycleRecord {
  const { bootId, busy } = event;
  const known = { ...withJobs(record, busy), ...(bootId !== undefined && { bootId }) };
  if (event.task === 'running' && !record.force) return finish(known, 'busy', facts, event.text);
  if (busy !== undefined && waitsForJobs(record)) return finish(record, 'busy', facts, busy);
  const isCut = record.mode === 'hard' || record.action === 'off';
  return go(known, isCut ? 'contact' : 'soft-reboot', facts, event.text);
}

/** Whether jobs on the target stop it: unless it is forced, or a person turns something off, who decides about that. */
export function waitsForJobs({ action, force, origin }: CycleRecord): boolean {
  return action !== 'on' && !force && !(action === 'off' && origin === 'person');
}

function withJobs(record: CycleRecord, busy: string | undefined): CycleRecord {
  return busy === undefined ? record : { ...record, despite: busy };
}

/** The machine did not reboot itself. After a restart it is unknown whether it was asked at all; then its power is not cut. */
function afterSoft(record: CycleRecord, text: string, facts: CycleFacts): CycleRecord {
  const mayGoOn = record.mode === 'auto' && record.feeds.length > 0 && !record.interrupted;
  return mayGoOn ? go(record, 'contact', facts, text) : fail(record, text, facts);
}

function contacted(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'contacted' }>,
  facts: CycleFacts,
): CycleRecord {
  const feeds = record.feeds.map((feed) => {
    return { ...feed, ...event.modes.get(`${feed.controller}/${feed.outlet}`) };
  });
  const known = { ...record, feeds };
  // An outlet that is turned off draws no current, so it does not wait for its turn.
  if (record.action !== 'off') return go(known, 'ready', facts, event.text);
  return go({ ...known, begun: true }, 'turn-off', facts, event.text);
}

function turningOff(
  record: CycleRecord,
  event: CycleEvent,
  facts: CycleFacts,
): CycleRecord | undefined {
  if (event.is === 'seen-off') {
    const off = { ...record, sawOff: true, ...(event.unverified && { unseenOff: event.text }) };
    if (record.action === 'off') return finish(off, 'off', facts, event.text);
    return go(off, 'off', facts, event.text);
  }
  if (event.is === 'cycled-natively') {
    return seenOn({ ...record, phase: 'turn-on', sawOff: true }, event.text, facts);
  }
  if (event.is === 'left-off') {
    return go({ ...record, sawOff: true }, 'turn-on', facts, event.text);
  }
  if (event.is === 'off-unseen') {
    return go({ ...record, unseenOff: event.text }, 'turn-on', facts, event.text);
  }
  if (event.is === 'off-failed') {
    if (record.action === 'off') return failPending(record, event.text, facts);
    const failure = { step: 'turn-off' as const, detail: event.text };
    return go({ ...record, failure }, 'turn-on', facts, event.text);
  }
  const isForbidden = event.is === 'forbidden' && record.action === 'off';
  return isForbidden ? fail(record, event.text, facts) : undefined;
}

function seeingBack(
  record: CycleRecord,
  event: CycleEvent,
  facts: CycleFacts,
): CycleRecord | undefined {
  if (event.is === 'back') return back(withFault(record, {}), event, facts);
  if (event.is === 'silent-at-on') {
    const seen = withDown(record, event, facts);
    return go(seen, 'put-back', facts, event.text);
  }
  if (event.is === 'not-back') return notBack(withFault(record, event), event.text, facts);
  if (event.is !== 'not-visible') return undefined;
  if (record.unseenOff !== undefined) return neverOff(record, record.unseenOff, facts);
  return finish(withFault(record, event), 'on', facts, event.text);
}

function seenOn(record: CycleRecord, text: string, facts: CycleFacts): CycleRecord {
  const noted = withStep(record, facts, text);
  const { failure } = record;
  if (failure !== undefined) {
    const { detail, step } = failure;
    return finish({ ...noted, detail }, 'failed', facts, undefined, step);
  }
  if (record.unseenOff !== undefined && !facts.canBeSeen) {
    return neverOff(noted, record.unseenOff, facts);
  }
  if (record.action === 'on' || !facts.canBeSeen) return finish(noted, 'on', facts);
  return go(noted, 'see-back', facts);
}

/** Only the first time that it was seen down counts. */
function withDown(record: CycleRecord, { how }: { how?: string }, facts: CycleFacts): CycleRecord {
  const first = how === undefined ? { how: 'rebooted' } : { how, at: time(facts) };
  return { ...record, sawDown: true, down: record.down ?? first };
}

/** It went down because its outlets were turned off, as far as anybody can tell. */
function withFall(record: CycleRecord, { wasUp }: { wasUp: boolean }): CycleRecord {
  const isOff = record.phase === 'turn-off' || record.phase === 'off';
  return wasUp && isOff ? withShown(record, { fellSilent: true }) : record;
}

/** Only the latest report of its outlets counts. */
function withFault(record: CycleRecord, { fault }: { fault?: string }): CycleRecord {
  const { fault: _, ...rest } = record;
  return { ...rest, ...(fault !== undefined && { fault }) };
}

/** Where no reading proves the outlet off, the target must: it lost power meanwhile, or is in another boot. */
function back(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'back' }>,
  facts: CycleFacts,
): CycleRecord {
  const { text } = event;
  const { unseenOff, wentDown } = record;
  if (unseenOff === undefined) return finish(record, 'back', facts, text);
  const proof = event.proof ?? (wentDown ? 'an observed outage' : undefined);
  if (proof === undefined) return neverOff(withStep(record, facts, text), unseenOff, facts);
  return finish(record, 'back', facts, `${text}; ${proof} confirms that the power was off`);
}

function neverOff(record: CycleRecord, detail: string, facts: CycleFacts): CycleRecord {
  return finish({ ...record, detail }, 'failed', facts, undefined, 'turn-off');
}

function notBack(record: CycleRecord, text: string, facts: CycleFacts): CycleRecord {
  const { unseenOff, wentDown = false } = record;
  // A USB port is turned off once more, but the device's own cycle may already have run.
  if (unseenOff !== undefined && !wentDown && !record.sawOff) {
    return neverOff(withStep(record, facts, text), unseenOff, facts);
  }
  // Nobody saw whether it was up while its outlets were off, so on may have turned it off.
  if (
    record.unproven?.key !== undefined &&
    record.unwatched &&
    record.sawDown &&
    !record.unproven.fellSilent
  ) {
    return go(
      record,
      'put-back',
      facts,
      `${text}; on and off may be inverted, so turning it off again`,
    );
  }
  // If the equipment reports what was set, not even a reading shows that on toggles.
  if (record.unproven?.fellSilent && !record.unproven.onAgain && !record.interrupted) {
    const again = withShown(record, { onAgain: true });
    return go(again, 'turn-on', facts, `${text}; turning it on again, in case on toggles`);
  }
  // It rebooted itself and now hangs, which leaves the outlet.
  const wasSoft = !record.sawOff && unseenOff === undefined;
  const canGoOn = record.feeds.length > 0 && !record.interrupted;
  if (wasSoft && record.mode === 'auto' && canGoOn) return go(record, 'contact', facts, text);
  if (wasSoft || !canGoOn || record.attempt >= facts.tries) return fail(record, text, facts);
  const attempt = record.attempt + 1;
  const { unseenOff: _, wentDown: __, down: ___, unproven: ____, ...rest } = record;
  const again = { ...rest, attempt, sawOff: false, sawDown: false, unwatched: false };
  return go(again, 'contact', facts, `${text}; attempt ${again.attempt} of ${facts.tries}`);
}

/** Whatever the error: an outlet that may be off is turned on before the error is reported. */
function broke(record: CycleRecord, detail: string, facts: CycleFacts): CycleRecord {
  if (record.action === 'off' || !holdsPower(record)) return failPending(record, detail, facts);
  return go({ ...record, failure: { step: stepOf(record), detail } }, 'turn-on', facts, detail);
}

/** It should be watched from when its outlets are touched until it is seen back. */
function unwatched(record: CycleRecord): CycleRecord {
  const isMissed = holdsPower(record) || record.phase === 'see-back';
  return isMissed ? { ...record, unwatched: true } : record;
}

const powerFirst = 'the daemon was restarted; turning the power on first';

/** Work in progress continues where no outlet stays off and nothing is done twice. */
function afterRestart(record: CycleRecord, facts: CycleFacts): CycleRecord {
  switch (record.phase) {
    case 'queued':
    case 'check':
    case 'contact':
    case 'ready': {
      const { startedAt: _, ...rest } = record;
      if (record.begun) return go(record, 'contact', facts, 'the daemon was restarted; continuing');
      // Its client was disconnected and has taken that for a failure.
      if (record.origin === 'endpoint') {
        return finish(
          record,
          'cancelled',
          facts,
          'the daemon was restarted before the cycle began',
        );
      }
      return { ...rest, phase: 'queued', attempt: 0 };
    }
    case 'soft-reboot':
    case 'going-down': {
      const interrupted = { ...record, begun: true, softOnly: true as const, interrupted: true };
      return go(
        interrupted,
        'going-down',
        facts,
        'the daemon was restarted; checking whether the machine rebooted',
      );
    }
    case 'turn-off': {
      if (record.action === 'off') return go(record, 'turn-off', facts, 'the daemon was restarted');
      if (record.sawOff) return go(record, 'turn-on', facts, powerFirst);
      const detail = 'the daemon was restarted before the outlet was reported as off';
      return go({ ...record, failure: { step: 'turn-off', detail } }, 'turn-on', facts, detail);
    }
    case 'off':
    case 'turn-on':
      return go(record, 'turn-on', facts, powerFirst);
    case 'see-back':
      return go(
        record,
        'see-back',
        facts,
        'the daemon was restarted; still waiting for the machine',
      );
    case 'put-back':
      return go(record, 'put-back', facts, 'the daemon was restarted; turning it off once more');
    case 'finished':
      return record;
  }
}

/** Only turning on continues. What is off already has a pending on. */
function inherited(record: CycleRecord, text: string, facts: CycleFacts): CycleRecord {
  const { action, phase } = record;
  // Only its target shows how its outlets must be.
  if (action === 'on' || phase === 'put-back' || phase === 'finished') return record;
  if (hasNotBegun(record)) return finish(record, 'cancelled', facts, text);
  const power = record.action === 'off' ? '' : '; the outlets are turned on again';
  return fail(record, `${text}${power}`, facts);
}

/** Moves to the next phase; `text` is how the previous one ended. */
function go(record: CycleRecord, phase: Phase, facts: CycleFacts, text?: string): CycleRecord {
  return { ...(text === undefined ? record : withStep(record, facts, text)), phase };
}

function fail(record: CycleRecord, detail: string, facts: CycleFacts): CycleRecord {
  return finish(record, 'failed', facts, detail, stepOf(record));
}

function failPending(record: CycleRecord, text: string, facts: CycleFacts): CycleRecord {
  const { detail, ...pending } = whatIsPending(record, text);
  return fail({ ...record, ...pending }, detail, facts);
}

/** An operator's failed off remains in effect: the outlet is turned off as soon as its controller responds. */
export function whatIsPending(
  record: CycleRecord,
  detail: string,
): { detail: string; pending?: true } {
  if (record.action !== 'off' || !isStanding(record)) return { detail };
  const how = `the outlet will still be turned off as soon as possible; to cancel this, run skolo power on ${record.target}`;
  return { detail: `${detail}; ${how}`, pending: true };
}

function finish(
  record: CycleRecord,
  outcome: Outcome,
  facts: CycleFacts,
  detail?: string,
  failedStep?: CycleStep,
): CycleRecord {
  const why = outcome === 'back' || outcome === 'on' ? whyUnproven(record) : undefined;
  const judged = why === undefined ? outcome : 'unproven';
  const text = why === undefined ? detail : [detail, why].filter(Boolean).join('; ');
  const noted = text === undefined ? record : withStep(record, facts, text);
  const how = { outcome: judged, ...(failedStep !== undefined && { failedStep }) };
  const finished: CycleRecord = {
    ...noted,
    phase: 'finished',
    finishedAt: time(facts),
    ...how,
  };
  const { moved } = record;
  if (moved === undefined || !['back', 'on', 'off', 'unproven'].includes(judged)) {
    return withDespite(finished);
  }
  const failure = { outcome: 'failed', failedStep: moved.step, detail: moved.detail } as const;
  return withDespite({ ...finished, ...failure, otherwise: judged });
}

/** The outcome names the jobs that it ended. */
function withDespite(record: CycleRecord): CycleRecord {
  const { despite, detail, begun } = record;
  if (despite === undefined || !begun) return record;
  const named = `this ended a job: ${despite}`;
  return { ...record, detail: detail === undefined ? named : `${detail}; ${named}` };
}

/** Adds an event. The same text twice in a row is one step. */
function withStep(record: CycleRecord, facts: CycleFacts, text: string): CycleRecord {
  const step = stepOf(record);
  const last = record.steps.at(-1);
  if (last?.text === text && last.step === step) return { ...record, detail: text };
  return { ...record, detail: text, steps: [...record.steps, { at: time(facts), step, text }] };
}

function time({ now }: CycleFacts): string {
  return new Date(now).toISOString();
}
