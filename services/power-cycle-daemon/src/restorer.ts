/**
 * Pays the power that is owed: every outlet that was turned off for a cycle is turned on and seen on, however often it
 * takes, also after this process died and came back. Whoever waits is told after a few failures that it is stuck; the
 * attempts go on.
 */
import { type BackOffOptions, backOffMs, type Clock, errorText, pause } from '@skolo/common';
import type { Controller } from './controller.ts';
import { type Patience, type Proof, turnOn, usualPatience } from './prove.ts';
import { type Debt, feedKey } from './records.ts';
import type { Store } from './store.ts';

export type Restored =
  | { is: 'on'; text: string; fault?: string }
  | { is: 'stuck'; text: string }
  /** Not on, and not tried any more. */
  | { is: 'given-up'; text: string };

export interface RestorerDeps {
  store: Store;
  /** Undefined for one that is no longer in the rack. */
  controller(name: string): Controller | undefined;
  staggerSeconds(): number;
  clock: Pick<Clock, 'now'>;
  patience?: Patience;
  /** Between two attempts. */
  backOff?: BackOffOptions;
  /** Told when an outlet is stuck off, at a restart again, and when it no longer is. */
  onStuck?: (debt: Debt, text: string) => void;
  onPaid?: (debt: Debt, wasStuck: boolean) => void;
  /** Told when a controller turned on what was off before. */
  onTurnedOn?: (controller: string) => void;
  /** Aborted when the daemon stops; debts stay in the journal. */
  signal: AbortSignal;
}

interface Work {
  controller: string;
  /** Why the last attempt failed; undefined: none has. */
  why: string | undefined;
  waiting: ((restored: Restored) => void)[];
  isGivenUp: boolean;
  /** Ends the pause between two attempts. */
  hurry: () => void;
  done: Promise<void>;
}

interface StartOptions {
  isInDoubt: boolean;
  isOnce?: boolean;
  turn?: Promise<unknown> | undefined;
}

/** Failures until it counts as stuck; by then, too, an off that was on its way has arrived. */
const stuckAfter = 3;
const usualBackOff = { firstMs: 1000, maxMs: 60_000 };

export class Restorer {
  private readonly deps: RestorerDeps;
  private readonly working = new Map<string, Work>();

  constructor(deps: RestorerDeps) {
    this.deps = deps;
  }

  /** What the last process left: one outlet after another on each controller, since all at once draw too much current. */
  payOldDebts(): void {
    const last = new Map<string, Promise<unknown>>();
    for (const debt of this.deps.store.debts.all.values()) {
      if (debt.stuck !== undefined) this.deps.onStuck?.(debt, debt.stuck.why);
      const before = last.get(debt.controller);
      const turn = before?.then(() => pause(this.deps.staggerSeconds() * 1000, this.deps.signal));
      // What that one told last may still be on its way.
      last.set(debt.controller, told(this.start(debt, { isInDoubt: true, turn })));
    }
  }

  /**
   * Has an outlet turned on, now. Fulfilled when it was seen on, or when it is stuck: then it is tried for ever.
   *
   * @param isInDoubt it was told to go off and never seen off, so that it may still do so
   * @param isOnce it is given up where it would be stuck, unless somebody else has it turned on already
   */
  restore(
    debt: Debt,
    { isInDoubt = false, isOnce = false }: { isInDoubt?: boolean; isOnce?: boolean } = {},
  ): Promise<Restored> {
    const work = this.working.get(feedKey(debt)) ?? this.start(debt, { isInDoubt, isOnce });
    work.hurry();
    return told(work);
  }

  /**
   * Gives up what is owed on a device that has left the rack: nobody can ever pay it. Gives why not.
   *
   * @throws JournalDown, StorageUnavailable It is still owed.
   */
  async giveUp(key: string): Promise<'not-owed' | 'in-the-rack' | undefined> {
    const { store } = this.deps;
    const debt = store.debts.get(key);
    if (debt === undefined) return 'not-owed';
    if (this.deps.controller(debt.controller) !== undefined) return 'in-the-rack';
    await store.write([store.debts.remove(key)]);
    const work = this.working.get(key);
    if (work !== undefined) work.isGivenUp = true;
    work?.hurry();
    this.deps.onPaid?.(debt, debt.stuck !== undefined);
    return undefined;
  }

  /** Why an outlet is still off, by the latest attempt to turn it on. */
  whyOff(key: string): string | undefined {
    return this.working.get(key)?.why ?? this.deps.store.debts.get(key)?.stuck?.why;
  }

  /** Whether the latest attempt to turn on some outlet of a controller failed. */
  isInDoubt(controller: string): boolean {
    return [...this.working.values()].some(
      (work) => work.controller === controller && work.why !== undefined,
    );
  }

  /** Tries at once what is stuck: a controller has come back. */
  hurry(): void {
    for (const { hurry } of this.working.values()) hurry();
  }

  /** Fulfilled once nothing is under way any more; the signal of the deps has been aborted. */
  async close(): Promise<void> {
    await Promise.all([...this.working.values()].map(({ done }) => done));
  }

  private start(debt: Debt, options: StartOptions): Work {
    const { turn = Promise.resolve() } = options;
    const key = feedKey(debt);
    const work: Work = {
      controller: debt.controller,
      why: undefined,
      waiting: [],
      isGivenUp: false,
      hurry: () => undefined,
      done: Promise.resolve(),
    };
    work.done = turn
      .then(() => this.pay(debt, work, options))
      .catch(() =>
        tell(work, { is: 'stuck', text: 'the daemon stops; its next start turns it on' }),
      )
      .finally(() => this.working.delete(key));
    this.working.set(key, work);
    return work;
  }

  /** @throws The signal's reason, and nothing else. */
  private async pay(debt: Debt, work: Work, { isInDoubt, isOnce }: StartOptions): Promise<void> {
    const { store, backOff = usualBackOff } = this.deps;
    const key = feedKey(debt);
    let isStuck = debt.stuck !== undefined;
    for (let failures = 1; ; failures += 1) {
      const wish = store.wishes.get(key);
      // A person turned it off meanwhile: that has the last word.
      const doubt = isInDoubt && failures < stuckAfter;
      const proof = wish === undefined ? await this.attempt(debt, doubt) : undefined;
      if (proof === undefined || proof.is === 'proven') {
        work.why = undefined;
        if (proof?.wasOff) this.deps.onTurnedOn?.(debt.controller);
        await store.keep([store.debts.remove(key)]);
        this.deps.onPaid?.(debt, isStuck);
        return tell(work, {
          is: 'on',
          text: proof?.text ?? `${key} was turned off by ${wish?.by}`,
          ...(proof?.reading.fault !== undefined && { fault: `${key}: ${proof.reading.fault}` }),
        });
      }
      work.why = proof.text;
      if (work.isGivenUp) return tell(work, { is: 'stuck', text: `${key} was given up` });
      if (isOnce && failures >= stuckAfter) {
        await store.keep([store.debts.remove(key)]);
        return tell(work, { is: 'given-up', text: `${key} not seen on: ${proof.text}` });
      }
      if (failures >= stuckAfter) {
        await this.keepStuck(debt, proof.text);
        isStuck = true;
        const text = `${key} could not be proven on: ${proof.text}; tried for ever`;
        tell(work, { is: 'stuck', text });
      }
      await this.rest(backOffMs(failures, backOff), work);
      if (work.isGivenUp) return;
    }
  }

  /** Journaled, so that the next process turns nothing else off on this controller. */
  private async keepStuck(debt: Debt, why: string): Promise<void> {
    const { store, clock, onStuck } = this.deps;
    const known = store.debts.get(feedKey(debt)) ?? debt;
    if (known.stuck !== undefined) return;
    const since = new Date(clock.now()).toISOString();
    await store.keep([store.debts.put({ ...known, stuck: { since, why } })]);
    onStuck?.(known, why);
  }

  private async attempt(
    { controller: name, outlet, mode }: Debt,
    isInDoubt: boolean,
  ): Promise<Proof> {
    const { controller: find, patience = usualPatience, signal } = this.deps;
    try {
      const controller = find(name);
      if (controller !== undefined) {
        return await turnOn(controller, outlet, { mode, isInDoubt }, patience, signal);
      }
      return { is: 'not', text: `${name} is no longer in rack.yaml` };
    } catch (error) {
      signal.throwIfAborted();
      return { is: 'not', text: errorText(error) };
    }
  }

  private async rest(ms: number, work: Work): Promise<void> {
    const { signal } = this.deps;
    const rest = new AbortController();
    work.hurry = () => rest.abort();
    await pause(ms, AbortSignal.any([signal, rest.signal])).catch(() => undefined);
    work.hurry();
    work.hurry = () => undefined;
    signal.throwIfAborted();
  }
}

function told(work: Work): Promise<Restored> {
  return new Promise((resolve) => work.waiting.push(resolve));
}

function tell(work: Work, restored: Restored): void {
  for (const each of work.waiting.splice(0)) each(restored);
}
