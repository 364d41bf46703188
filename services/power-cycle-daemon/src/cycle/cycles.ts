/**
 * Runs cycles: does the work of each phase, journals each step before the next, and assigns turns. cycle.ts defines the steps,
 * equipment/outlets.ts verifies outlets.
 */

import { errorText, pause } from '@skolo/base';
import { type Clock, Locks } from '@skolo/common';
import type { PendingOns } from '../keep/pending-ons.ts';
import type { PartDeps } from '../part-deps.ts';
import type { CircuitBreaker } from '../rules/circuit-breaker.ts';
import { oneEach, shownBy, unprovenOf } from '../rules/descriptions.ts';
import { findTarget } from '../rules/targets.ts';
import {
  beforeTouching,
  onChanged,
  pendingOnOf,
  withPreviousOffs,
} from '../state/outlet-records.ts';
import { type CycleRecord, isStanding, type Phase } from '../state/records.ts';
import {
  type CycleEvent,
  hasNotBegun,
  holdsPower,
  next,
  stepOf,
  waitsForJobs,
  whatIsPending,
} from './cycle.ts';
import { checkTask, putBack, reboot, taskBegun, watchBack, watchDown } from './machine-steps.ts';
import { contact, othersMoved, turnAllOff, waitOff } from './outlet-steps.ts';
import { admitted } from './scheduler.ts';
import { canBeSeen, jobsOn, type Step, type StepDeps, whyNot } from './step.ts';

interface CyclesDeps
  extends StepDeps,
    Pick<PartDeps, 'rack' | 'store' | 'log' | 'emit' | 'signal'> {
  clock: Clock;
  pendingOns: PendingOns;
  breaker: CircuitBreaker;
}

/** The work of each phase; the runner itself waits for turns and for outlets to come on. */
const steps: Record<
  Exclude<Phase, 'queued' | 'ready' | 'turn-on' | 'finished'>,
  (step: Step) => Promise<CycleEvent>
> = {
  check: checkTask,
  'soft-reboot': reboot,
  'going-down': watchDown,
  contact,
  'turn-off': turnAllOff,
  off: waitOff,
  'see-back': watchBack,
  'put-back': putBack,
};

/** How many machines are asked at once; they mostly wait for silence. */
const preparedAtOnce = 64;
const lookAgainMs = 50;
const preparations: ReadonlySet<Phase> = new Set(['check', 'soft-reboot', 'going-down']);

/** How the wait for a turn ends. */
type Turn = 'admitted' | 'out-of-reach' | 'controller-failing' | 'ended';

export class Cycles {
  private readonly deps: CyclesDeps;
  private readonly running = new Map<string, Promise<void>>();
  private readonly locks = new Locks();
  private readonly turns = new Map<string, (turn: Turn) => void>();
  /** Cycles that nothing stops any more, although the journal does not say so yet. */
  private readonly beginning = new Set<string>();
  private queue: string[] = [];
  private preparing = 0;
  private isGivingTurns = false;
  /** Aborted when nothing more may begin. */
  private readonly ending = new AbortController();

  constructor(deps: CyclesDeps) {
    this.deps = deps;
  }

  /** Continues what the last process left; call it once the pending ons have begun. */
  async resume(): Promise<void> {
    const { store } = this.deps;
    for (const { id } of store.active().sort((a, b) => a.number - b.number)) {
      const phase = await this.apply(id, { is: 'restarted' });
      if (phase === 'queued') this.queue.push(id);
      else this.start(id, phase);
    }
    this.prepare();
  }

  /** Begins a stored cycle as soon as there is room. */
  add(id: string): void {
    this.queue.push(id);
    this.prepare();
  }

  /** Cycles that a job which begins now could not stop. */
  begun(): CycleRecord[] {
    return this.deps.store
      .active()
      .filter((record) => this.beginning.has(record.id) || !hasNotBegun(record));
  }

  /** Cancels what has not begun. Returns false if it has. */
  async cancel(id: string, text: string): Promise<boolean> {
    const phase = await this.apply(id, { is: 'cancelled', text }).catch(() => undefined);
    if (phase === undefined) return false;
    this.queue = this.queue.filter((each) => each !== id);
    this.turns.get(id)?.('ended');
    return true;
  }

  /**
   * Re-evaluates which cycles may draw current, after a cycle has entered another phase, a controller was lost or came back, or a limit
   * changed. Calls at the same time have one result: when one write of the journal ends, hundreds of cycles continue, and each calls it.
   */
  giveTurns(): void {
    if (this.isGivingTurns) return;
    this.isGivingTurns = true;
    setImmediate(() => {
      this.isGivingTurns = false;
      this.giveTurnsNow();
    });
  }

  private giveTurnsNow(): void {
    const { store, controllers, rack, breaker } = this.deps;
    const failing = breaker.failing();
    const isDown = (name: string) => controllers.get(name)?.state === 'down';
    const ready: CycleRecord[] = [];
    for (const [id, end] of this.turns) {
      const record = store.cycles.get(id);
      // Its outlet would go off and could not be turned on: it must be reachable first.
      const isOn = record?.action === 'on';
      if (!isOn && record?.feeds.some((feed) => isDown(feed.controller))) end('out-of-reach');
      // A forced cycle keeps waiting: one at a time.
      else if (
        !isOn &&
        !record?.force &&
        record?.feeds.some((feed) => failing.has(feed.controller))
      )
        end('controller-failing');
      else if (record !== undefined) ready.push(record);
    }
    if (ready.length === 0 || this.ending.signal.aborted) return;
    const others = store.active().filter(({ id }) => !this.turns.has(id));
    // A cycle that was just admitted is `ready` until the journal has recorded it.
    const running = others.filter((record) => holdsPower(record) || record.phase === 'ready');
    const limits = rack().services['power-cycle-daemon'];
    const mostOff = (name: string) => breaker.mostOff(name);
    const isSeen = (record: CycleRecord) => this.canBeSeen(record);
    const first = oneEach(rack(), store.descriptions.all, { ready, running: others, isSeen });
    for (const { id } of admitted(first, running, limits, isDown, mostOff)) {
      this.turns.get(id)?.('admitted');
    }
  }

  /**
   * Before the daemon stops: nothing more begins, and outlets do not stay off any longer. Fulfilled once the power of all reachable outlets
   * is on again, or after `withinMs`; the rest is in the journal.
   */
  async windDown(withinMs: number): Promise<void> {
    if (withinMs <= 0) return;
    this.ending.abort();
    const { store, signal } = this.deps;
    const end = performance.now() + withinMs;
    const isPending = () =>
      [...store.pendingOns.all.values()].some(({ stuck }) => stuck === undefined);
    while (isPending() && performance.now() < end) await pause(lookAgainMs, signal);
  }

  /** Fulfilled once nothing is in progress; the signal has been aborted, and what was not finished is in the journal. */
  async close(): Promise<void> {
    for (const end of this.turns.values()) end('ended');
    await Promise.all(this.running.values());
  }

  private prepare(): void {
    const { signal } = this.deps;
    while (this.preparing < preparedAtOnce && !signal.aborted && !this.ending.signal.aborted) {
      const id = this.queue.shift();
      if (id === undefined) return;
      this.preparing += 1;
      this.start(id);
    }
  }

  /** @param phase the phase in which the last process left it */
  private start(id: string, phase?: Phase): void {
    let isPreparing = phase === undefined;
    const prepared = () => {
      if (!isPreparing) return;
      isPreparing = false;
      this.preparing -= 1;
      this.prepare();
    };
    const run = this.drive(id, phase, prepared)
      .catch((error: unknown) => {
        if (!this.deps.signal.aborted)
          this.deps.log.error({ err: error, cycle: id }, 'cycle broke');
      })
      .finally(() => {
        this.running.delete(id);
        prepared();
        this.giveTurns();
      });
    this.running.set(id, run);
  }

  private async drive(id: string, left: Phase | undefined, prepared: () => void): Promise<void> {
    let phase = left ?? (await this.apply(id, { is: 'begin' }));
    while (phase !== 'finished') {
      if (!preparations.has(phase)) prepared();
      const event = await this.carryOut(id);
      if (event === undefined) return;
      phase = await this.apply(id, event).finally(() => this.beginning.delete(id));
      this.giveTurns();
    }
  }

  /** Undefined: it was cancelled meanwhile, or the daemon is stopping. */
  private async carryOut(id: string): Promise<CycleEvent | undefined> {
    const { store, emit, signal, log } = this.deps;
    const record = store.cycles.get(id);
    if (record === undefined || signal.aborted) return undefined;
    // The next start begins with it.
    if (this.ending.signal.aborted && hasNotBegun(record)) return undefined;
    const { phase } = record;
    if (phase === 'ready') return this.admission(record);
    if (phase === 'turn-on') return this.turnOn(record);
    if (phase === 'queued' || phase === 'finished') return undefined;
    const event = await steps[phase](this.step(record)).catch((error: unknown) => {
      signal.throwIfAborted();
      log.error({ err: error, cycle: id, phase }, 'step broke');
      return { is: 'broke' as const, text: `a bug in the daemon: ${errorText(error)}` };
    });
    if (event.is === 'cycled-natively') {
      for (const { controller } of record.feeds) emit({ type: 'turned-on', controller });
    }
    if (store.cycles.get(id)?.phase === 'finished') return undefined;
    // Without a wait for its turn, so this is the moment before the off.
    if (event.is === 'contacted' && record.action === 'off') return this.unlessBusy(record, event);
    // Its next step asks the machine to reboot.
    if (event.is === 'checked' && record.mode !== 'hard') this.beginning.add(id);
    return event;
  }

  private step(record: CycleRecord): Step {
    const { controllers, hostKeys, clock, snapshot, timing, suppliedWatts, signal } = this.deps;
    const rack = this.deps.rack();
    return {
      record,
      rack,
      settings: rack.services['power-cycle-daemon'],
      target: findTarget(rack, record.target),
      report: (event) => void this.apply(record.id, event),
      ending: this.ending.signal,
      controllers,
      hostKeys,
      clock,
      snapshot,
      timing,
      suppliedWatts,
      signal,
    };
  }

  /** Undefined: it was cancelled meanwhile, or the daemon is stopping. */
  private async admission(record: CycleRecord): Promise<CycleEvent | undefined> {
    for (;;) {
      const turn = await this.turn(record.id);
      switch (turn) {
        case 'ended':
          return undefined;
        case 'out-of-reach':
          return { is: turn };
        case 'admitted':
          return this.whatStopsIt(record);
        case 'controller-failing': {
          const why = whyNot(this.step(record));
          // Otherwise the controller has recovered and the cycle keeps waiting.
          if (why !== undefined) return { is: 'forbidden', text: why };
        }
      }
    }
  }

  /** Its turn has come, perhaps long after it was requested and checked. */
  private async whatStopsIt(record: CycleRecord): Promise<CycleEvent> {
    const task = await taskBegun(this.step(record));
    if (task !== undefined) return { is: 'task-begun', text: task };
    const why = whyNot(this.step(record));
    if (why !== undefined) return { is: 'forbidden', text: why };
    if (record.action === 'on') return { is: 'admitted' };
    const event = this.unlessBusy(record, { is: 'admitted' });
    if (event.is === 'admitted') {
      this.deps.breaker.forcedOff(record.feeds.map(({ controller }) => controller));
    }
    const unproven =
      record.action === 'cycle'
        ? unprovenOf(this.deps.rack(), this.deps.store.descriptions.all, record.feeds)
        : undefined;
    return event.is === 'admitted' && unproven ? { ...event, unproven } : event;
  }

  /** Nothing waits between this question and the mark, so no job begins in between. */
  private unlessBusy(record: CycleRecord, event: CycleEvent): CycleEvent {
    const busy = record.begun ? undefined : jobsOn(this.step(record));
    if (busy !== undefined && waitsForJobs(record)) return { is: 'task-begun', text: busy };
    this.beginning.add(record.id);
    return event.is === 'admitted' && busy !== undefined ? { ...event, busy } : event;
  }

  private turn(id: string): Promise<Turn> {
    return new Promise((resolve) => {
      this.turns.set(id, (turn) => {
        this.turns.delete(id);
        resolve(turn);
      });
      this.giveTurns();
    });
  }

  private async turnOn(record: CycleRecord): Promise<CycleEvent> {
    const { store, pendingOns, clock, signal } = this.deps;
    const { failure, unseenOff, unproven, sawOff: isDue } = record;
    const isAgain = unproven?.onAgain === true;
    const isInDoubt = failure !== undefined || unseenOff !== undefined || isAgain;
    const isOnce = record.action === 'on' && !isStanding(record);
    const isTwice = unproven !== undefined && !isInDoubt;
    const options = { isInDoubt, isOnce, isDue, isTwice };
    const turnedOn = await Promise.all(
      record.feeds.map((feed) =>
        pendingOns.turnOn(pendingOnOf(store, record, feed, clock.now()), options),
      ),
    );
    const failed = turnedOn.find(({ is }) => is === 'given-up');
    if (failed !== undefined) return { is: 'on-failed', text: failed.text };
    const stuck = turnedOn.filter(({ is }) => is === 'stuck');
    const text = (stuck.length > 0 ? stuck : turnedOn).map((each) => each.text).join(', ');
    // The daemon is stopping: the journal records how far it was.
    signal.throwIfAborted();
    if (stuck.length > 0) return { is: 'stuck', text };
    const others = await othersMoved(this.step(record));
    if (others !== undefined) await this.apply(record.id, { is: 'moved', text: others });
    const faults = turnedOn.flatMap((each) => (each.is === 'on' ? (each.fault ?? []) : []));
    const toggled = turnedOn.flatMap((each) => (each.is === 'on' ? (each.toggles ?? []) : []));
    return {
      is: 'seen-on',
      text,
      ...(faults.length > 0 && { fault: faults.join(', ') }),
      ...(toggled.length > 0 && {
        toggles: `turning it on a second time turned it off: ${toggled.join(', ')}; fix its description, in which on toggles`,
      }),
    };
  }

  /** Feeds an event into the state machine. The result is journaled before it takes effect. One event per cycle at a time. */
  private apply(id: string, event: CycleEvent): Promise<Phase> {
    return this.locks.hold(id, async () => {
      const { store, emit, rack, clock } = this.deps;
      const previous = store.cycles.get(id);
      if (previous === undefined || previous.phase === 'finished') return 'finished';
      const facts = {
        now: clock.now(),
        canBeSeen: this.canBeSeen(previous),
        tries: rack().services['power-cycle-daemon'].tries.cycle,
      };
      const record = await this.save(previous, next(previous, event, facts));
      emit({ type: 'cycle', record, previous: previous.phase });
      return record.phase;
    });
  }

  private canBeSeen({ target: name }: CycleRecord): boolean {
    const rack = this.deps.rack();
    const target = findTarget(rack, name);
    return target !== undefined && canBeSeen(rack, target);
  }

  /** Before anything is touched, the journal must contain it; afterwards nothing may wait for the disk. */
  private async save(previous: CycleRecord, after: CycleRecord): Promise<CycleRecord> {
    const { store, clock } = this.deps;
    const entered = after.phase === previous.phase ? undefined : after.phase;
    const record = entered === 'turn-on' ? withPreviousOffs(store, after) : after;
    const touchesFirst =
      entered === 'soft-reboot' ||
      entered === 'turn-off' ||
      (entered === 'turn-on' && !previous.begun);
    if (!touchesFirst) {
      const shown = entered === 'finished' ? shownBy(record) : undefined;
      await store.writeLater([
        store.cycles.put(record),
        ...onChanged(store, previous, record, clock.now()),
        ...(shown ? [store.descriptions.put(shown)] : []),
      ]);
      return record;
    }
    try {
      const outlets = entered === 'soft-reboot' ? [] : beforeTouching(store, record, clock.now());
      await store.write([store.cycles.put(record), ...outlets]);
      return record;
    } catch (error) {
      const what = previous.begun ? 'nothing else was changed' : 'nothing was changed';
      const detail = `${what}, because the journal cannot be written: ${errorText(error)}`;
      const failed: CycleRecord = {
        ...previous,
        phase: 'finished',
        outcome: 'failed',
        failedStep: stepOf(previous),
        ...whatIsPending(previous, detail),
        finishedAt: new Date(clock.now()).toISOString(),
      };
      await store.writeLater([store.cycles.put(failed)]);
      return failed;
    }
  }
}
