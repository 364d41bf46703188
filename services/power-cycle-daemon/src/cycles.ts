/**
 * Runs cycles: carries out what the state machine wants, journals each step before the next, and hands out turns.
 * What a step is, is in cycle.ts; how an outlet is proven, in prove.ts.
 */

import { type Clock, errorText, type Logger, pause } from '@skolo/common';
import type { Change } from '@skolo/durable';
import type { Rack } from '@skolo/rack';
import type { Controller } from './controller.ts';
import {
  type CycleEvent,
  type Effect,
  hasNotBegun,
  holdsPower,
  next,
  stepOf,
  type Transition,
  whatIsPending,
} from './cycle.ts';
import type { Hands } from './hands.ts';
import { taskBegun } from './machine-steps.ts';
import type { SeenDown } from './machines/watch.ts';
import type { OnProofs } from './on-proofs.ts';
import { perform, whyNot } from './perform.ts';
import { type CycleRecord, type Debt, feedKey, isStanding } from './records.ts';
import type { Restorer } from './restorer.ts';
import type { Store } from './store.ts';
import { findTarget } from './targets.ts';
import { admitted } from './turns.ts';

export interface CyclesDeps {
  rack: () => Rack;
  store: Store;
  restorer: Restorer;
  proofs: OnProofs;
  controller(name: string): Controller | undefined;
  hands: Omit<Hands, 'note' | 'seenDown' | 'offNatively' | 'ending'>;
  clock: Clock;
  log: Logger;
  /** Told of each change of a cycle, after it is in memory. */
  onChange: (record: CycleRecord) => void;
  signal: AbortSignal;
}

/** So many machines are being asked at once; what they wait for is mostly silence. */
const preparedAtOnce = 64;
const lookAgainMs = 50;
const preparations: ReadonlySet<Effect> = new Set(['check', 'soft-reboot', 'watch-down']);

/** How waiting for a turn ends. */
type Turn = 'admitted' | 'out-of-reach' | 'controller-failing' | 'ended';

export class Cycles {
  private readonly deps: CyclesDeps;
  private readonly running = new Map<string, Promise<void>>();
  /** The changes of one cycle come one after another. */
  private readonly changing = new Map<string, Promise<unknown>>();
  private readonly turns = new Map<string, (turn: Turn) => void>();
  private queue: string[] = [];
  private preparing = 0;
  /** Aborted when nothing more is to be begun. */
  private readonly ending = new AbortController();

  constructor(deps: CyclesDeps) {
    this.deps = deps;
  }

  /** Goes on with what the last process left; call it once the old debts are being paid. */
  async resume(): Promise<void> {
    const { store } = this.deps;
    const left = [...store.cycles.all.values()]
      .filter(({ phase }) => phase !== 'finished')
      .sort((a, b) => a.number - b.number);
    for (const { id } of left) {
      const effect = await this.apply(id, { is: 'restarted' });
      if (effect === 'none') this.queue.push(id);
      else this.start(id, effect);
    }
    this.prepare();
  }

  /** Begins with a cycle that the store has, as soon as there is room. */
  add(id: string): void {
    this.queue.push(id);
    this.prepare();
  }

  /** Cancels what has not begun. Gives false when it has. */
  async cancel(id: string, text: string): Promise<boolean> {
    const effect = await this.apply(id, { is: 'cancelled', text }).catch(() => undefined);
    if (effect === undefined) return false;
    this.queue = this.queue.filter((each) => each !== id);
    this.turns.get(id)?.('ended');
    return true;
  }

  /** Cycles that wait for their turn to draw current, and those that have not been looked at. */
  waiting(): CycleRecord[] {
    return this.active().filter(({ phase }) => phase === 'queued' || phase === 'ready');
  }

  active(): CycleRecord[] {
    return [...this.deps.store.cycles.all.values()].filter(({ phase }) => phase !== 'finished');
  }

  /** Looks again who may draw current: a controller went or came back, a limit was changed. */
  giveTurns(): void {
    const { store, controller, rack, proofs } = this.deps;
    const failing = proofs.failing();
    const isDown = (name: string) => controller(name)?.state === 'down';
    const ready: CycleRecord[] = [];
    for (const [id, end] of this.turns) {
      const record = store.cycles.get(id);
      // It would be off, and nobody could turn it on: it has to be reached again first.
      const isOn = record?.action === 'on';
      if (!isOn && record?.feeds.some((feed) => isDown(feed.controller))) end('out-of-reach');
      // Who forces it waits on: one at a time.
      else if (
        !isOn &&
        !record?.force &&
        record?.feeds.some((feed) => failing.has(feed.controller))
      )
        end('controller-failing');
      else if (record !== undefined) ready.push(record);
    }
    if (ready.length === 0 || this.ending.signal.aborted) return;
    // One that was admitted a moment ago is `ready` until the journal has it.
    const running = this.active().filter(
      (record) => holdsPower(record) || (record.phase === 'ready' && !this.turns.has(record.id)),
    );
    const limits = rack().services['power-cycle-daemon'];
    const mostOff = (name: string) => proofs.mostOff(name);
    for (const { id } of admitted(ready, running, limits, isDown, mostOff)) {
      this.turns.get(id)?.('admitted');
    }
  }

  /**
   * Before the daemon stops: nothing more is begun, and what is off is not left off any longer. Fulfilled once the power
   * of all that could be reached is on again, or `withinMs` are over; the rest is in the journal.
   */
  async windDown(withinMs: number): Promise<void> {
    if (withinMs <= 0) return;
    this.ending.abort();
    const { store, signal } = this.deps;
    const end = performance.now() + withinMs;
    const isOwed = () => [...store.debts.all.values()].some(({ stuck }) => stuck === undefined);
    while (isOwed() && performance.now() < end) await pause(lookAgainMs, signal);
  }

  /** Fulfilled once nothing is under way; the signal has been aborted, and what was not finished is in the journal. */
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

  private start(id: string, effect?: Effect): void {
    let isPreparing = effect === undefined;
    const prepared = () => {
      if (!isPreparing) return;
      isPreparing = false;
      this.preparing -= 1;
      this.prepare();
    };
    const run = this.drive(id, effect, prepared)
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

  private async drive(id: string, begun: Effect | undefined, prepared: () => void): Promise<void> {
    let effect = begun ?? (await this.apply(id, { is: 'begin' }));
    while (effect !== 'none') {
      if (!preparations.has(effect)) prepared();
      const event = await this.carryOut(id, effect);
      if (event === undefined) return;
      effect = await this.apply(id, event);
      this.giveTurns();
    }
  }

  /** Undefined: it was cancelled meanwhile, or the daemon stops. */
  private async carryOut(
    id: string,
    effect: Exclude<Effect, 'none'>,
  ): Promise<CycleEvent | undefined> {
    const { store, signal, rack, log } = this.deps;
    const record = store.cycles.get(id);
    if (record === undefined || signal.aborted) return undefined;
    // The next start begins with it anew.
    if (this.ending.signal.aborted && hasNotBegun(record)) return undefined;
    if (effect === 'wait-for-turn') {
      return this.admission(record);
    }
    if (effect === 'turn-on') return this.payFor(record);
    const note = (text: string) => void this.apply(id, { is: 'noted', text });
    const seenDown = (down: SeenDown) => void this.apply(id, { is: 'seen-down', ...down });
    const offNatively = (text: string) => void this.apply(id, { is: 'off-natively', text });
    const target = findTarget(rack(), record.target);
    const ending = this.ending.signal;
    const hands = { ...this.deps.hands, note, seenDown, offNatively, ending };
    const event = await perform(effect, record, target, hands, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.error({ err: error, cycle: id, effect }, 'step broke');
      return { is: 'broke' as const, text: `a mistake of the daemon: ${errorText(error)}` };
    });
    if (event.is === 'cycled-natively') {
      for (const feed of record.feeds) this.deps.proofs.noteOn(feed.controller);
    }
    return isFinished(store.cycles.get(id)) ? undefined : event;
  }

  /** Undefined: it was cancelled meanwhile, or the daemon stops. */
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
          const { rack, hands } = this.deps;
          const why = whyNot(record, findTarget(rack(), record.target), hands);
          // Otherwise it is well again, and the cycle waits on.
          if (why !== undefined) return { is: 'forbidden', text: why };
        }
      }
    }
  }

  /** Its turn has come, perhaps long after it was asked for and looked at. */
  private async whatStopsIt(record: CycleRecord): Promise<CycleEvent> {
    const { rack, hands, signal } = this.deps;
    const target = () => findTarget(rack(), record.target);
    const task = await taskBegun(record, target(), hands, signal);
    if (task !== undefined) return { is: 'task-begun', text: task };
    const why = whyNot(record, target(), hands);
    if (why !== undefined) return { is: 'forbidden', text: why };
    if (record.action !== 'on') this.deps.proofs.noteForced(record.feeds.map((f) => f.controller));
    return { is: 'admitted' };
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

  private async payFor(record: CycleRecord): Promise<CycleEvent> {
    const debts = record.feeds.map((feed) => this.debtOf(record, feed));
    const isInDoubt = record.failure !== undefined || record.unseenOff !== undefined;
    const isOnce = record.action === 'on' && !isStanding(record);
    const restored = await Promise.all(
      debts.map((debt) => this.deps.restorer.restore(debt, { isInDoubt, isOnce })),
    );
    const failed = restored.find(({ is }) => is === 'given-up');
    if (failed !== undefined) return { is: 'on-failed', text: failed.text };
    const stuck = restored.filter(({ is }) => is === 'stuck');
    const texts = (stuck.length > 0 ? stuck : restored).map(({ text }) => text);
    // The daemon stops: the journal says where it was.
    this.deps.signal.throwIfAborted();
    if (stuck.length > 0) return { is: 'stuck', text: texts.join(', ') };
    const faults = restored.flatMap((each) => (each.is === 'on' ? (each.fault ?? []) : []));
    const fault = faults.length > 0 ? { fault: faults.join(', ') } : {};
    return { is: 'seen-on', text: texts.join(', '), ...fault };
  }

  private debtOf(record: CycleRecord, feed: CycleRecord['feeds'][number]): Debt {
    const since = new Date(this.deps.clock.now()).toISOString();
    return this.deps.store.debts.get(feedKey(feed)) ?? { ...feed, since, cycle: record.id };
  }

  /** Puts an event into the state machine. What comes out is journaled before it is true. */
  private apply(id: string, event: CycleEvent): Promise<Effect> {
    const before = this.changing.get(id) ?? Promise.resolve();
    const change = before.catch(() => undefined).then(() => this.applyNow(id, event));
    this.changing.set(id, change);
    // Only the last in line forgets the line.
    const forget = () => {
      if (this.changing.get(id) === change) this.changing.delete(id);
    };
    change.then(forget, forget);
    return change;
  }

  private async applyNow(id: string, event: CycleEvent): Promise<Effect> {
    const { store, log, onChange } = this.deps;
    const record = store.cycles.get(id);
    if (record === undefined || record.phase === 'finished') return 'none';
    const transition = this.transition(record, event);
    const effect = await this.save(record, transition);
    const now = store.cycles.get(id) ?? transition.record;
    if (now.phase !== record.phase) {
      const { target, phase, outcome, detail } = now;
      log.info({ cycle: id, target, phase, outcome, detail }, 'cycle');
    }
    onChange(now);
    return effect;
  }

  private transition(record: CycleRecord, event: CycleEvent): Transition {
    const { rack, clock } = this.deps;
    const target = findTarget(rack(), record.target);
    return next(record, event, {
      now: clock.now(),
      canBeSeen: target !== undefined && this.deps.hands.canBeSeen(target),
      tries: rack().services['power-cycle-daemon'].tries.cycle,
    });
  }

  /** A device that cycled by itself has paid what was owed in case it would not; a task keeps its power, whoever wished. */
  private settled(former: CycleRecord, record: CycleRecord): Change[] {
    const { id, phase, feeds } = record;
    const { debts } = this.deps.store;
    if (record.action !== 'cycle') return phase === 'finished' ? this.settledWish(record) : [];
    if (former.phase !== 'turn-off' || (phase !== 'see-back' && phase !== 'finished')) return [];
    const own = feeds.map(feedKey).filter((key) => debts.get(key)?.cycle === id);
    return own.map((key) => debts.remove(key));
  }

  /** A program's off is a wish once it is proven. An operator's was one before, and is none if it was not allowed after all. */
  private settledWish(record: CycleRecord): Change[] {
    const { action, target, outcome, feeds, by, reason, requestedAt: at } = record;
    const { pending, formerly = [] } = record;
    const { debts, wishes } = this.deps.store;
    if (action === 'on')
      return outcome === 'failed' ? formerly.map((each) => wishes.put(each)) : [];
    if (outcome === 'off' && !isStanding(record)) {
      return feeds.flatMap((feed) => [
        wishes.put({ ...wishes.get(feedKey(feed)), ...feed, target, by, reason, at }),
        debts.remove(feedKey(feed)),
      ]);
    }
    if (outcome === 'off' || pending) return [];
    const own = feeds.map(feedKey).filter((key) => wishes.get(key)?.at === at);
    return own.map((key) => wishes.remove(key));
  }

  /** What is to become of its outlets: on again, or off as a person wants it, and on as they were when a person wants that. */
  private promises(record: CycleRecord): Change[] {
    const { debts, wishes } = this.deps.store;
    if (record.action !== 'off') {
      const ended = record.action === 'on' ? record.feeds : [];
      return [
        ...record.feeds.map((feed) => debts.put(this.debtOf(record, feed))),
        ...ended.map((feed) => wishes.remove(feedKey(feed))),
      ];
    }
    return record.feeds.flatMap((feed) => {
      const wish = wishes.get(feedKey(feed));
      const { mode } = feed;
      return wish === undefined || mode === undefined ? [] : [wishes.put({ ...wish, mode })];
    });
  }

  /** With the wishes that a program's on is about to end. */
  private withFormer(record: CycleRecord): CycleRecord {
    if (record.action !== 'on' || isStanding(record) || record.formerly) return record;
    const { wishes } = this.deps.store;
    const formerly = record.feeds.flatMap((feed) => wishes.get(feedKey(feed)) ?? []);
    return formerly.length === 0 ? record : { ...record, formerly };
  }

  /** Before anything is touched the journal must have it; afterwards nothing may wait for the disk. */
  private async save(former: CycleRecord, transition: Transition): Promise<Effect> {
    const { store, clock } = this.deps;
    const { effect } = transition;
    const record = effect === 'turn-on' ? this.withFormer(transition.record) : transition.record;
    const touchesFirst =
      effect === 'soft-reboot' || effect === 'turn-off' || (effect === 'turn-on' && !former.begun);
    if (!touchesFirst || former.phase === record.phase) {
      await store.keep([store.cycles.put(record), ...this.settled(former, record)]);
      return effect;
    }
    try {
      const promises = effect === 'soft-reboot' ? [] : this.promises(record);
      await store.write([store.cycles.put(record), ...promises]);
      return effect;
    } catch (error) {
      const what = former.begun ? 'nothing more was touched' : 'nothing was touched';
      const detail = `${what}, because the journal cannot be written: ${errorText(error)}`;
      const failed: CycleRecord = {
        ...former,
        phase: 'finished',
        outcome: 'failed',
        failedStep: stepOf(former),
        ...whatIsPending(former, detail),
        finishedAt: new Date(clock.now()).toISOString(),
      };
      await store.keep([store.cycles.put(failed)]);
      return 'none';
    }
  }
}

function isFinished(record: CycleRecord | undefined): boolean {
  return record === undefined || record.phase === 'finished';
}
