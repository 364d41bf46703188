/**
 * Turns on every outlet that was turned off for a cycle, with as many retries as necessary, even after this process restarts. Decides
 * when an outlet counts as stuck off; attempts continue.
 */

import { backOffMs, errorText, pause } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { Controllers } from '../equipment/controllers.ts';
import { turnOn, type Verification } from '../equipment/outlets.ts';
import type { Timing } from '../equipment/timing.ts';
import type { PartDeps } from '../part-deps.ts';
import { feedKey, type PendingOn } from '../state/records.ts';

type TurnedOn =
  /** `toggles`: on has turned it off meanwhile. */
  | { is: 'on'; text: string; fault?: string; toggles?: string }
  | { is: 'stuck'; text: string }
  /** Not on, and not retried. */
  | { is: 'given-up'; text: string };

export interface PendingOnsDeps extends Pick<PartDeps, 'store' | 'emit' | 'signal'> {
  controllers: Pick<Controllers, 'get'>;
  staggerSeconds: () => number;
  clock: Pick<Clock, 'now'>;
  timing: Pick<Timing, 'patience' | 'backOff'>;
}

interface Work {
  waiting: ((turnedOn: TurnedOn) => void)[];
  isGivenUp: boolean;
  /** Ends the pause between two attempts. */
  hurry: () => void;
  done: Promise<void>;
}

interface Options {
  /** It was sent an off but never seen off, so it may still go off. */
  isInDoubt?: boolean;
  /** It was seen off and must be on now: the first attempt reads nothing before. */
  isDue?: boolean;
  /** Its commands are unproven: the first attempt sends them twice. */
  isTwice?: boolean;
  /** Give up instead of counting it as stuck, unless somebody else is already having it turned on. */
  isOnce?: boolean;
}

interface StartOptions extends Options {
  turn?: Promise<unknown> | undefined;
}

/** Failures until it counts as stuck; by then an off that was on its way has also arrived. */
const stuckAfter = 3;

export class PendingOns {
  private readonly deps: PendingOnsDeps;
  private readonly working = new Map<string, Work>();

  constructor(deps: PendingOnsDeps) {
    this.deps = deps;
  }

  /** What the last process left: one outlet at a time on each controller, because all at once draw too much current. */
  resume(): void {
    const { store, staggerSeconds, emit, signal } = this.deps;
    const last = new Map<string, Promise<unknown>>();
    for (const pendingOn of store.pendingOns.all.values()) {
      const { controller, stuck } = pendingOn;
      if (stuck !== undefined) emit({ type: 'stuck-off', pendingOn, why: stuck.why });
      const turn = last.get(controller)?.then(() => pause(staggerSeconds() * 1000, signal));
      // That process's last command may still be on its way.
      last.set(controller, resultOf(this.start(pendingOn, { isInDoubt: true, turn })));
    }
  }

  /** Turns an outlet on, now. Fulfilled when it was seen on, or when it is stuck; then attempts continue forever. */
  turnOn(pendingOn: PendingOn, options: Options = {}): Promise<TurnedOn> {
    const known = this.working.get(feedKey(pendingOn));
    const work = known ?? this.start(pendingOn, options);
    work.hurry();
    return resultOf(work);
  }

  /**
   * Gives up an outlet of a device that has left the rack: it can never be turned on. Returns why not.
   *
   * @throws StorageUnavailable It is still pending.
   */
  async forget(key: string): Promise<'not-pending' | 'in-the-rack' | undefined> {
    const { store, controllers, emit } = this.deps;
    const pendingOn = store.pendingOns.get(key);
    if (pendingOn === undefined) return 'not-pending';
    if (controllers.get(pendingOn.controller) !== undefined) return 'in-the-rack';
    await store.write([store.pendingOns.remove(key)]);
    const work = this.working.get(key);
    if (work !== undefined) work.isGivenUp = true;
    work?.hurry();
    emit({ type: 'pending-on-ended', pendingOn, wasStuck: pendingOn.stuck !== undefined });
    return undefined;
  }

  /** Retries stuck outlets immediately: a controller has come back. */
  hurry(): void {
    for (const { hurry } of this.working.values()) hurry();
  }

  /** Fulfilled once nothing is in progress; the signal of the deps has been aborted. */
  async close(): Promise<void> {
    await Promise.all([...this.working.values()].map(({ done }) => done));
  }

  private start(pendingOn: PendingOn, options: StartOptions): Work {
    const { turn = Promise.resolve() } = options;
    const key = feedKey(pendingOn);
    const work: Work = {
      waiting: [],
      isGivenUp: false,
      hurry: () => undefined,
      done: Promise.resolve(),
    };
    work.done = turn
      .then(() => this.untilOn(pendingOn, work, options))
      .catch(() => ({
        is: 'stuck' as const,
        text: 'the daemon is stopping; it will turn the outlet on at its next start',
      }))
      .then((turnedOn) => {
        // Synchronously: a caller that joined in between would wait forever.
        this.working.delete(key);
        settle(work, turnedOn);
      });
    this.working.set(key, work);
    return work;
  }

  /** Until it is seen on. @throws Only the signal's reason. */
  private async untilOn(
    pendingOn: PendingOn,
    work: Work,
    { isInDoubt = false, isDue = false, isTwice = false, isOnce }: Options,
  ): Promise<TurnedOn> {
    const { store, timing, emit } = this.deps;
    const key = feedKey(pendingOn);
    let isStuck = pendingOn.stuck !== undefined;
    let toggles: string | undefined;
    for (let failures = 1; ; failures += 1) {
      const off = store.switchedOff.get(key);
      // Who asks from now on gets the result of an attempt that begins later.
      const asked = work.waiting.length;
      // A person turned it off meanwhile, which takes precedence.
      const how = {
        isInDoubt: isInDoubt && failures < stuckAfter,
        isDue: isDue && failures === 1,
        isTwice: isTwice && failures === 1,
      };
      const verification = off === undefined ? await this.attempt(pendingOn, how) : undefined;
      if (verification === undefined || verification.is === 'verified') {
        if (verification?.wasOff) emit({ type: 'turned-on', controller: pendingOn.controller });
        await store.writeLater([store.pendingOns.remove(key)]);
        emit({ type: 'pending-on-ended', pendingOn, wasStuck: isStuck });
        return {
          is: 'on',
          text: verification?.text ?? `${key} was turned off by ${off?.by}`,
          ...(verification?.reading.fault !== undefined && {
            fault: `${key}: ${verification.reading.fault}`,
          }),
          ...(toggles !== undefined && { toggles }),
        };
      }
      if (verification.is === 'toggled') toggles = verification.text;
      if (work.isGivenUp) break;
      emit({ type: 'on-failed', pendingOn, why: verification.text });
      if (isOnce && failures >= stuckAfter) {
        await store.writeLater([store.pendingOns.remove(key)]);
        emit({ type: 'pending-on-ended', pendingOn, wasStuck: isStuck });
        return { is: 'given-up', text: `${key} is not reported as on: ${verification.text}` };
      }
      if (failures >= stuckAfter) {
        await this.keepStuck(pendingOn, verification.text);
        isStuck = true;
        const text = `${key} could not be verified as on: ${verification.text}; retries continue`;
        settle(work, { is: 'stuck', text }, asked);
        if (work.waiting.length > 0) continue;
      }
      await this.rest(backOffMs(failures, timing.backOff), work);
      if (work.isGivenUp) break;
    }
    return { is: 'stuck', text: `${key} was forgotten` };
  }

  /** Journaled, so that the next process turns nothing else off on this controller. */
  private async keepStuck(pendingOn: PendingOn, why: string): Promise<void> {
    const { store, clock, emit } = this.deps;
    const known = store.pendingOns.get(feedKey(pendingOn)) ?? pendingOn;
    if (known.stuck !== undefined) return;
    const since = new Date(clock.now()).toISOString();
    await store.writeLater([store.pendingOns.put({ ...known, stuck: { since, why } })]);
    emit({ type: 'stuck-off', pendingOn: known, why });
  }

  private async attempt(
    { controller: name, outlet, mode, via }: PendingOn,
    how: Options,
  ): Promise<Verification> {
    const { controllers, timing, signal } = this.deps;
    try {
      const controller = controllers.get(name);
      if (controller !== undefined) {
        return await turnOn(controller, outlet, { mode, via, ...how }, timing.patience, signal);
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

/** The next result: it is stuck, or finished. */
function resultOf(work: Work): Promise<TurnedOn> {
  return new Promise((resolve) => work.waiting.push(resolve));
}

function settle(work: Work, turnedOn: TurnedOn, most = work.waiting.length): void {
  for (const resolve of work.waiting.splice(0, most)) resolve(turnedOn);
}
