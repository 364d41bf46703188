/**
 * Pays the power that is owed: every outlet that was turned off for a cycle is turned on and seen on, however often it
 * takes, also after this process died and came back. Whoever waits is told after a few failures that it is stuck; the
 * attempts go on.
 */
import { backOffMs } from '@skolo/common';
import type { Controller } from './controller.ts';
import { pause } from './pause.ts';
import { type Patience, turnOn, usualPatience } from './prove.ts';
import { type Debt, feedKey } from './records.ts';
import type { Store } from './store.ts';

export type Restored = { is: 'on'; text: string } | { is: 'stuck'; text: string };

export interface RestorerDeps {
  store: Store;
  /** Undefined for one that is no longer in the rack. */
  controller(name: string): Controller | undefined;
  staggerSeconds(): number;
  patience?: Patience;
  /** Told when an outlet is stuck off, and when a stuck one is on at last. */
  onStuck?: (debt: Debt, text: string) => void;
  onPaid?: (debt: Debt, wasStuck: boolean) => void;
  /** Aborted when the daemon stops; debts stay in the journal. */
  signal: AbortSignal;
}

interface Work {
  first: Promise<Restored>;
  done: Promise<void>;
}

/** Failures until it counts as stuck. */
const stuckAfter = 3;
const backOff = { firstMs: 1000, maxMs: 60_000 };

export class Restorer {
  /** Keys of outlets that are stuck off now. */
  readonly stuck = new Set<string>();
  private readonly deps: RestorerDeps;
  private readonly working = new Map<string, Work>();

  constructor(deps: RestorerDeps) {
    this.deps = deps;
  }

  /** What the last process left: one outlet after another on each controller, since all at once draw too much current. */
  payOldDebts(): void {
    const last = new Map<string, Promise<unknown>>();
    for (const debt of this.deps.store.debts.all.values()) {
      const before = last.get(debt.controller);
      const turn = before?.then(() => pause(this.deps.staggerSeconds() * 1000, this.deps.signal));
      last.set(debt.controller, this.start(debt, turn).first);
    }
  }

  /** Has an owed outlet turned on. Fulfilled when it was seen on, or when it is stuck. */
  restore(debt: Debt): Promise<Restored> {
    return (this.working.get(feedKey(debt)) ?? this.start(debt)).first;
  }

  /** Fulfilled once nothing is under way any more; the signal of the deps has been aborted. */
  async close(): Promise<void> {
    await Promise.all([...this.working.values()].map(({ done }) => done));
  }

  private start(debt: Debt, turn: Promise<unknown> = Promise.resolve()): Work {
    const key = feedKey(debt);
    let tell: (restored: Restored) => void = () => undefined;
    const first = new Promise<Restored>((resolve) => {
      tell = resolve;
    });
    const done = turn
      .then(() => this.pay(debt, tell))
      .catch((error: unknown) => {
        if (!this.deps.signal.aborted) throw error;
        tell({ is: 'stuck', text: 'the daemon stops; it is turned on at its next start' });
      })
      .finally(() => this.working.delete(key));
    const work = { first, done };
    this.working.set(key, work);
    return work;
  }

  private async pay(debt: Debt, tell: (restored: Restored) => void): Promise<void> {
    const { store, signal, patience = usualPatience } = this.deps;
    const key = feedKey(debt);
    for (let failures = 0; ; ) {
      // A person turned it off meanwhile: that has the last word.
      if (!store.debts.all.has(key)) return tell({ is: 'on', text: `${key} is no longer owed` });
      const controller = this.deps.controller(debt.controller);
      const proof =
        controller === undefined
          ? { is: 'not' as const, text: `${debt.controller} is no longer in rack.yaml` }
          : await turnOn(controller, debt.outlet, debt.mode, patience, signal);
      if (proof.is === 'proven') {
        await store.keep([store.debts.remove(key)]);
        this.deps.onPaid?.(debt, this.stuck.delete(key));
        return tell({ is: 'on', text: proof.text });
      }
      failures += 1;
      if (failures === stuckAfter) {
        this.stuck.add(key);
        this.deps.onStuck?.(debt, proof.text);
        tell({ is: 'stuck', text: `${key} could not be proven on: ${proof.text}; tried for ever` });
      }
      await pause(backOffMs(failures, backOff), signal);
    }
  }
}
