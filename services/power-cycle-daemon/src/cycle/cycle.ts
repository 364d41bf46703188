/**
 * A cycle as a state machine: state and event in, next state and effect out. Nothing here waits, asks or writes.
 * The caller journals the state before it carries out the effect.
 *
 *     queued → check → soft-reboot → going-down ──────────────────────┐
 *                 └──────────┴──→ contact → ready → turn-off → off → turn-on → see-back → finished
 *
 * From `turn-off` on there is one exit: through `turn-on`. Whatever goes wrong is kept as `failure` and reported once
 * the power has been seen on again.
 */
import type { CycleStep, Outcome } from '@skolo/api';
import { type CycleRecord, isStanding, type Phase } from '../state/records.ts';

/** What the runner is to do next. Each ends with one of the events named behind it. */
export type Effect =
  /** Ask the agent whether a task is running, and for the boot that runs: `checked`. */
  | 'check'
  /** Ask the machine to reboot itself: `soft-sent`, `soft-impossible`. */
  | 'soft-reboot'
  /** Watch it go down: `went-down`, `not-down`. */
  | 'watch-down'
  /** Read the outlets: `contacted`, `contact-failed`, `forbidden`. */
  | 'contact'
  /** Wait for a turn: `admitted`, `out-of-reach`, `forbidden`, `task-begun`. */
  | 'wait-for-turn'
  /** Off, and read back: `seen-off`, `off-failed`. Or the device's own cycle: `cycled-natively`, `left-off`, `off-unseen`, `off-failed`. */
  | 'turn-off'
  /** Wait: `off-waited`. */
  | 'wait-off'
  /** On, and read back: `seen-on`, `stuck`, `on-failed`. */
  | 'turn-on'
  /** Watch it come back: `back`, `not-back`, `not-visible`. */
  | 'see-back'
  | 'none';

export type CycleEvent =
  | { is: 'begin' }
  | { is: 'checked'; task: 'running' | 'idle' | 'unknown'; text: string; bootId?: string }
  | { is: 'soft-sent'; text: string }
  | { is: 'soft-impossible'; text: string }
  | { is: 'went-down'; text: string }
  | { is: 'not-down'; text: string }
  | { is: 'contacted'; modes: ReadonlyMap<string, string | undefined>; text: string }
  | { is: 'contact-failed'; text: string }
  | { is: 'admitted' }
  /** While it waited for its turn, a controller ceased to answer. */
  | { is: 'out-of-reach' }
  /** Since it was asked for, somebody held it, or rack.yaml was edited. */
  | { is: 'forbidden'; text: string }
  /** While it waited, its machine was given a task. */
  | { is: 'task-begun'; text: string }
  /** At any moment: only the list of steps changes. */
  | { is: 'noted'; text: string }
  /** `wasUp`: it went down while it was watched. */
  | { is: 'seen-down'; text: string; wasUp: boolean }
  /** While the device's own cycle runs. */
  | { is: 'off-natively'; text: string }
  /** `unproven`: the text of a reading that proves nothing. */
  | { is: 'seen-off'; text: string; unproven?: true }
  | { is: 'off-failed'; text: string }
  /** The device's own cycle may have been carried out, and no reading showed the outlet off. */
  | { is: 'off-unseen'; text: string }
  | { is: 'cycled-natively'; text: string }
  /** The device's own cycle turned it off, and did not turn it on in time. */
  | { is: 'left-off'; text: string }
  | { is: 'off-waited' }
  /** `fault`: outlets that reported one. */
  | { is: 'seen-on'; text: string; fault?: string }
  | { is: 'stuck'; text: string }
  /** Not seen on, and not tried again. */
  | { is: 'on-failed'; text: string }
  /** `proof`: what shows that it was off. */
  | { is: 'back'; text: string; proof?: string }
  | { is: 'not-back'; text: string; fault?: string }
  | { is: 'not-visible'; text: string; fault?: string }
  | { is: 'cancelled'; text: string }
  /** A mistake of ours: something threw what was not expected. */
  | { is: 'broke'; text: string }
  /** The journal was read by a new process. */
  | { is: 'restarted' }
  /** The journal came from another computer, and may be old. */
  | { is: 'inherited'; text: string };

/** What does not change while a cycle runs. */
export interface CycleFacts {
  now: number;
  /** Whether anything can show that the target is back. */
  canBeSeen: boolean;
  /** Whole cycles for one request. */
  tries: number;
}

export interface Transition {
  record: CycleRecord;
  effect: Effect;
}

/** The step of a cycle, for people. */
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

/** Whether outlets may be off because of it. */
export function holdsPower({ phase }: CycleRecord): boolean {
  return phase === 'turn-off' || phase === 'off' || phase === 'turn-on';
}

/** Whether nothing has been touched yet, and nothing stands. */
export function hasNotBegun(record: CycleRecord): boolean {
  const { begun, phase } = record;
  return !isStanding(record) && !begun && phase !== 'soft-reboot' && phase !== 'finished';
}

/**
 * @throws Error The event cannot come in this phase: a mistake of the caller.
 */
export function next(record: CycleRecord, event: CycleEvent, facts: CycleFacts): Transition {
  const { phase } = record;
  if (event.is === 'restarted') return afterRestart(unwatched(record), facts);
  if (event.is === 'inherited') return inherited(record, event.text, facts);
  // Reported by what watches the machine, at any moment.
  if (event.is === 'seen-down') {
    const seen = { ...record, sawDown: true, ...(event.wasUp && { wentDown: true }) };
    return { record: withStep(seen, facts, event.text), effect: 'none' };
  }
  if (event.is === 'off-natively') {
    return { record: withStep({ ...record, sawOff: true }, facts, event.text), effect: 'none' };
  }
  if (event.is === 'noted') return { record: withStep(record, facts, event.text), effect: 'none' };
  if (event.is === 'cancelled' && hasNotBegun(record)) {
    return finish(record, 'cancelled', facts, event.text);
  }
  if (event.is === 'broke' && phase !== 'turn-on') return broke(record, event.text, facts);
  switch (phase) {
    case 'queued':
      if (event.is === 'begin') return begin(record, facts);
      break;
    case 'check':
      if (event.is === 'checked') return checked(record, event, facts);
      break;
    case 'soft-reboot':
      if (event.is === 'soft-sent') {
        return go({ ...record, begun: true }, 'going-down', facts, event.text);
      }
      if (event.is === 'soft-impossible') return afterSoft(record, event.text, facts);
      break;
    case 'going-down':
      if (event.is === 'went-down') {
        return go({ ...record, sawDown: true }, 'see-back', facts, event.text);
      }
      if (event.is === 'not-down') return afterSoft(record, event.text, facts);
      break;
    case 'contact':
      if (event.is === 'contacted') return contacted(record, event, facts);
      if (event.is === 'contact-failed') return failPending(record, event.text, facts);
      if (event.is === 'forbidden') return fail(record, event.text, facts);
      break;
    case 'ready':
      if (event.is === 'out-of-reach') return go(record, 'contact', facts);
      if (event.is === 'forbidden') return fail(record, event.text, facts);
      if (event.is === 'task-begun') return finish(record, 'busy', facts, event.text);
      if (event.is === 'admitted') {
        return go(
          { ...record, begun: true },
          record.action === 'on' ? 'turn-on' : 'turn-off',
          facts,
        );
      }
      break;
    case 'turn-off':
      return turningOff(record, event, facts);
    case 'off':
      if (event.is === 'off-waited') return go(record, 'turn-on', facts);
      break;
    case 'turn-on':
      if (event.is === 'seen-on') return seenOn(withFault(record, event), event.text, facts);
      if (event.is === 'stuck') return finish(record, 'stuck-off', facts, event.text);
      if (event.is === 'on-failed') return fail(record, event.text, facts);
      break;
    case 'see-back':
      if (event.is === 'back') return back(withFault(record, {}), event, facts);
      if (event.is === 'not-visible') {
        if (record.unseenOff !== undefined) return neverOff(record, record.unseenOff, facts);
        return finish(withFault(record, event), 'on', facts, event.text);
      }
      if (event.is === 'not-back') return notBack(withFault(record, event), event.text, facts);
      break;
    case 'finished':
      break;
  }
  throw new Error(`cycle ${record.id}: ${event.is} in phase ${phase}`);
}

function begin(record: CycleRecord, facts: CycleFacts): Transition {
  const started = { ...record, startedAt: time(facts), attempt: 1 };
  return go(started, record.action === 'on' ? 'contact' : 'check', facts);
}

function checked(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'checked' }>,
  facts: CycleFacts,
): Transition {
  const { bootId } = event;
  const known = { ...record, ...(bootId !== undefined && { bootId }) };
  if (event.task === 'running' && !record.force) return finish(known, 'busy', facts, event.text);
  const isCut = record.mode === 'hard' || record.action === 'off';
  return go(known, isCut ? 'contact' : 'soft-reboot', facts, event.text);
}

/** The machine did not reboot itself. Whether it was asked at all is unknown after a restart: then it is not cut. */
function afterSoft(record: CycleRecord, text: string, facts: CycleFacts): Transition {
  const mayGoOn = record.mode === 'auto' && record.feeds.length > 0 && !record.interrupted;
  return mayGoOn ? go(record, 'contact', facts, text) : fail(record, text, facts);
}

function contacted(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'contacted' }>,
  facts: CycleFacts,
): Transition {
  const feeds = record.feeds.map((feed) => {
    const mode = event.modes.get(`${feed.controller}/${feed.outlet}`);
    return { ...feed, ...(mode !== undefined && { mode }) };
  });
  const known = { ...record, feeds };
  // What is turned off draws no current: it need not wait for its turn.
  if (record.action !== 'off') return go(known, 'ready', facts, event.text);
  return go({ ...known, begun: true }, 'turn-off', facts, event.text);
}

function turningOff(record: CycleRecord, event: CycleEvent, facts: CycleFacts): Transition {
  if (event.is === 'seen-off') {
    const off = { ...record, sawOff: true, ...(event.unproven && { unseenOff: event.text }) };
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
  if (event.is === 'forbidden' && record.action === 'off') return fail(record, event.text, facts);
  throw new Error(`cycle ${record.id}: ${event.is} in phase ${record.phase}`);
}

function seenOn(record: CycleRecord, text: string, facts: CycleFacts): Transition {
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

/** Only the last report of its outlets counts. */
function withFault(record: CycleRecord, { fault }: { fault?: string }): CycleRecord {
  const { fault: _, ...rest } = record;
  return { ...rest, ...(fault !== undefined && { fault }) };
}

/** Where no reading proves the outlet off, the target has to: it lost its power meanwhile, or runs another boot. */
function back(
  record: CycleRecord,
  event: Extract<CycleEvent, { is: 'back' }>,
  facts: CycleFacts,
): Transition {
  const { text } = event;
  const { unseenOff, wentDown } = record;
  if (unseenOff === undefined) return finish(record, 'back', facts, text);
  const proof = event.proof ?? (wentDown ? 'its own outage' : undefined);
  if (proof === undefined) return neverOff(withStep(record, facts, text), unseenOff, facts);
  return finish(record, 'back', facts, `${text}; ${proof} proves that it was off`);
}

function neverOff(record: CycleRecord, detail: string, facts: CycleFacts): Transition {
  return finish({ ...record, detail }, 'failed', facts, undefined, 'turn-off');
}

function notBack(record: CycleRecord, text: string, facts: CycleFacts): Transition {
  const { unseenOff, wentDown = false } = record;
  // A USB port is turned off once more; the device's own cycle may have been carried out.
  if (unseenOff !== undefined && !wentDown && !record.sawOff) {
    return neverOff(withStep(record, facts, text), unseenOff, facts);
  }
  // It rebooted by itself and hangs now: the outlet is what is left.
  const wasSoft = !record.sawOff && unseenOff === undefined;
  const canGoOn = record.feeds.length > 0 && !record.interrupted;
  if (wasSoft && record.mode === 'auto' && canGoOn) return go(record, 'contact', facts, text);
  if (wasSoft || !canGoOn || record.attempt >= facts.tries) return fail(record, text, facts);
  const attempt = record.attempt + 1;
  const { unseenOff: _, wentDown: __, ...rest } = record;
  const again = { ...rest, attempt, sawOff: false, sawDown: false, unwatched: false };
  return go(again, 'contact', facts, `${text}; attempt ${again.attempt} of ${facts.tries}`);
}

/** Whatever it was: an outlet that may be off is turned on before it is reported. */
function broke(record: CycleRecord, detail: string, facts: CycleFacts): Transition {
  if (record.action === 'off' || !holdsPower(record)) return failPending(record, detail, facts);
  return go({ ...record, failure: { step: stepOf(record), detail } }, 'turn-on', facts, detail);
}

/** From when its outlets are touched until it is seen back, somebody ought to watch. */
function unwatched(record: CycleRecord): CycleRecord {
  const isMissed = holdsPower(record) || record.phase === 'see-back';
  return isMissed ? { ...record, unwatched: true } : record;
}

const powerFirst = 'the daemon was restarted; the power comes first';

/** What was under way goes on where no outlet is left off and nothing is done twice. */
function afterRestart(record: CycleRecord, facts: CycleFacts): Transition {
  switch (record.phase) {
    case 'queued':
    case 'check':
    case 'contact':
    case 'ready': {
      const { startedAt: _, ...rest } = record;
      if (record.begun) return go(record, 'contact', facts, 'the daemon was restarted; it goes on');
      // Its client was cut off, and has taken that for a failure.
      if (record.origin === 'door') {
        return finish(record, 'cancelled', facts, 'the daemon was restarted before it had begun');
      }
      return { record: { ...rest, phase: 'queued', attempt: 0 }, effect: 'none' };
    }
    case 'soft-reboot':
    case 'going-down': {
      const interrupted = { ...record, begun: true, interrupted: true };
      return go(interrupted, 'going-down', facts, 'the daemon was restarted; did it reboot?');
    }
    case 'turn-off': {
      if (record.action === 'off') return go(record, 'turn-off', facts, 'the daemon was restarted');
      if (record.sawOff) return go(record, 'turn-on', facts, powerFirst);
      const detail = 'the daemon was restarted before the outlet was seen off';
      return go({ ...record, failure: { step: 'turn-off', detail } }, 'turn-on', facts, detail);
    }
    case 'off':
    case 'turn-on':
      return go(record, 'turn-on', facts, powerFirst);
    case 'see-back':
      return go(record, 'see-back', facts, 'the daemon was restarted; still waiting for it');
    case 'finished':
      return { record, effect: 'none' };
  }
}

/** Only what turns on goes on. What is off already is on the list of the restorer. */
function inherited(record: CycleRecord, text: string, facts: CycleFacts): Transition {
  if (record.action === 'on' || record.phase === 'finished') return { record, effect: 'none' };
  if (hasNotBegun(record)) return finish(record, 'cancelled', facts, text);
  const power = record.action === 'off' ? '' : '; what it turned off comes on';
  return fail(record, `${text}${power}`, facts);
}

const effects = {
  queued: 'none',
  check: 'check',
  'soft-reboot': 'soft-reboot',
  'going-down': 'watch-down',
  contact: 'contact',
  ready: 'wait-for-turn',
  'turn-off': 'turn-off',
  off: 'wait-off',
  'turn-on': 'turn-on',
  'see-back': 'see-back',
  finished: 'none',
} as const satisfies Record<Phase, Effect>;

/** To the next phase; `text` is how the one before it ended. */
function go(record: CycleRecord, phase: Phase, facts: CycleFacts, text?: string): Transition {
  const noted = text === undefined ? record : withStep(record, facts, text);
  return { record: { ...noted, phase }, effect: effects[phase] };
}

function fail(record: CycleRecord, detail: string, facts: CycleFacts): Transition {
  return finish(record, 'failed', facts, detail, stepOf(record));
}

function failPending(record: CycleRecord, text: string, facts: CycleFacts): Transition {
  const { detail, ...pending } = whatIsPending(record, text);
  return fail({ ...record, ...pending }, detail, facts);
}

/** An operator's off that failed stands: the outlet is turned off as soon as its controller can be spoken to. */
export function whatIsPending(
  record: CycleRecord,
  detail: string,
): { detail: string; pending?: true } {
  if (record.action !== 'off' || !isStanding(record)) return { detail };
  const how = `the off is still pending and is carried out once that is possible; cancel it with skolo power on ${record.target}`;
  return { detail: `${detail}; ${how}`, pending: true };
}

function finish(
  record: CycleRecord,
  outcome: Outcome,
  facts: CycleFacts,
  detail?: string,
  failedStep?: CycleStep,
): Transition {
  const noted = detail === undefined ? record : withStep(record, facts, detail);
  return {
    record: {
      ...noted,
      phase: 'finished',
      finishedAt: time(facts),
      outcome,
      ...(failedStep !== undefined && { failedStep }),
    },
    effect: 'none',
  };
}

/** Adds what happened. The same text twice in a row is one step. */
function withStep(record: CycleRecord, facts: CycleFacts, text: string): CycleRecord {
  const step = stepOf(record);
  const last = record.steps.at(-1);
  if (last?.text === text && last.step === step) return { ...record, detail: text };
  return { ...record, detail: text, steps: [...record.steps, { at: time(facts), step, text }] };
}

function time({ now }: CycleFacts): string {
  return new Date(now).toISOString();
}
