/**
 * The queue of one switch, PDU or hub, so that a slow, hanging or missing one does not delay the others. One
 * operation runs at a time; turning on goes first; waiting readings are combined.
 */

import { errorText, orAborted, pause } from '@skolo/base';
import type { Clock, CrashNotes } from '@skolo/common';
import { CannotCycle, type OutletReading, type PowerDriver } from '@skolo/equipment/models/outlets';
import {
  DeviceBusy,
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { EmitPower } from '../events.ts';
import type { MaySwitch } from './may-switch.ts';
import { OutletStates } from './outlet-states.ts';
import { type SignInPause, SignInPaused } from './sign-in-pause.ts';
import { timeLimitOf } from './time-limit.ts';

export interface ControllerDeps {
  clock: Pick<Clock, 'now'>;
  maySwitch: MaySwitch;
  crashNotes: Pick<CrashNotes, 'noted' | 'whyNot'>;
  emit: EmitPower;
}

export interface ControllerFacts {
  name: string;
  model: string;
  /** Whether automatic repair may use its driver. */
  automaticRepair: boolean;
  /** How long its sign-in may take, in addition to an operation; default: 0. */
  signInSeconds?: number;
  /** How long the device may take for each step of an operation, if that is set; default: 0. */
  stepSeconds?: number;
  /** All outlets that it has, as far as they are known; absent: they are not compared. */
  outlets?: () => readonly string[];
  /** Outlets that may still change because of commands of the last process, or before an edit of rack.yaml; absent: none. */
  unfinished?: readonly UnfinishedOutlet[];
}

export interface UnfinishedOutlet {
  outlet: string;
  /** How long the device may keep it off. */
  offSeconds: number;
}

/** One for each login: a device that rejects the one that reads can still be switched. The same if one login does both. */
interface SignIns {
  toRead: SignInPause;
  toSwitch: SignInPause;
}

/** How often, and for how long, an outlet is read after a command. Milliseconds. */
interface ReadBack {
  firstMs: number;
  withinMs: number;
}

interface NativeResult {
  seenOff: boolean;
  /** When the device had confirmed the command or it failed (`performance.now()`): it has counted the off time since then at the latest. */
  sentBy: number;
  failure?: unknown;
}

interface Job {
  first: boolean;
  run: (signal: AbortSignal) => Promise<void>;
}

interface Read {
  outlets: readonly string[];
  resolve: (readings: ReadonlyMap<string, OutletReading>) => void;
  reject: (error: unknown) => void;
}

/** Outlets that are compared in one operation; one if each takes a while, so that turning on does not wait for the others. */
const comparedAtOnce = 24;
const compareWithinMs = 10_000;
const busyPauseMs = 1000;

export class Controller {
  readonly name: string;
  readonly model: string;
  readonly automaticRepair: boolean;
  /** For the device to take a step. */
  readonly stepMs: number;
  private readonly operationMs: number;
  state: 'unknown' | 'up' | 'down' = 'unknown';
  /** Since when it is in this state; milliseconds since 1970. */
  since: number;
  /** Why it is down. */
  detail: string | undefined;
  lastContact: number | undefined;
  private readonly driver: PowerDriver;
  private readonly signIns: SignIns;
  private readonly deps: ControllerDeps;
  private readonly outlets: () => readonly string[];
  private readonly states = new OutletStates();
  private readonly jobs: Job[] = [];
  private readonly closing = new AbortController();
  /** The operation that runs. */
  private job: Job | undefined;
  private reads: Read[] = [];
  private working: Promise<void> | undefined;

  constructor(facts: ControllerFacts, driver: PowerDriver, signIns: SignIns, deps: ControllerDeps) {
    this.name = facts.name;
    this.model = facts.model;
    this.automaticRepair = facts.automaticRepair;
    this.stepMs = (facts.stepSeconds ?? 0) * 1000;
    this.operationMs = timeLimitOf(facts);
    this.outlets = facts.outlets ?? (() => []);
    this.driver = driver;
    this.signIns = signIns;
    this.deps = deps;
    this.since = deps.clock.now();
    for (const { outlet, offSeconds } of facts.unfinished ?? []) {
      this.states.formerlyCommanded(outlet, performance.now(), offSeconds * 1000);
    }
  }

  /** Whether the device rejected the last sign-in. */
  get rejectsSignIn(): boolean {
    const { toRead, toSwitch } = this.signIns;
    return toRead.isRejected || toSwitch.isRejected;
  }

  /** The number of operations that wait or run. */
  get queueLength(): number {
    return this.jobs.length + (this.job === undefined ? 0 : 1);
  }

  /** Whether the device can do off, wait and on by itself, with this off-time; undefined: with any. */
  cyclesNatively(offSeconds: number | undefined): boolean {
    const native = this.driver.nativeCycle;
    if (native === undefined) return false;
    if (native.offSeconds === 'fixed') return offSeconds === undefined;
    if (offSeconds === undefined) return true;
    const { least, most, whole = false } = native.offSeconds;
    return offSeconds >= least && offSeconds <= most && (!whole || Number.isInteger(offSeconds));
  }

  /** Whether the off-time of its own cycle is set on the device. */
  get hasFixedCycle(): boolean {
    return this.driver.nativeCycle?.offSeconds === 'fixed';
  }

  /** @throws DeviceError */
  read(outlets: readonly string[]): Promise<ReadonlyMap<string, OutletReading>> {
    return new Promise((resolve, reject) => {
      this.reads.push({ outlets, resolve, reject });
      if (this.reads.length > 1) return;
      this.enqueue({ first: false, run: (signal) => this.readSome(signal) });
    });
  }

  /** @throws DeviceError */
  turnOff(outlet: string, alone?: true): Promise<void> {
    return this.operate(false, (signal) => {
      this.states.commanded(outlet, ['off'], performance.now());
      return this.driver.turnOff(outlet, signal, alone);
    });
  }

  /** @throws DeviceError */
  turnOn(outlet: string, mode: string | undefined, via?: string): Promise<void> {
    return this.operate(true, (signal) => {
      this.states.commanded(outlet, ['on'], performance.now());
      return this.driver.turnOn(outlet, mode, signal, via);
    });
  }

  /**
   * Reads all outlets. Returns which of the others have moved since `outlet` was switched, although nobody requested that here; undefined:
   * none has.
   *
   * @throws DeviceError They could not be read.
   */
  async othersMoved(outlet: string): Promise<string | undefined> {
    const all = this.outlets();
    if (all.length < 2) return undefined;
    const atOnce = this.driver.readsAtOnce === undefined ? comparedAtOnce : 1;
    const end = performance.now() + compareWithinMs;
    for (let at = 0; at < all.length; at += atOnce) {
      if (performance.now() > end)
        throw new DeviceTimeout(this.name, `${all.length - at} outlets were not read in time`);
      await this.read(all.slice(at, at + atOnce)).catch((error: unknown) => {
        // rack.yaml may assume more outlets than it has.
        if (!(error instanceof DeviceRejected)) throw error;
      });
    }
    const moved = [...this.states.takeMoved(outlet)];
    if (moved.length === 0) return undefined;
    const first = moved.slice(0, 3).map(([name, what]) => `${this.name}/${name} ${what}`);
    const more = moved.length > first.length ? ` and ${moved.length - first.length} more` : '';
    return `${first.join(', ')}${more} when ${this.name}/${outlet} was switched`;
  }

  /**
   * Has the device cycle an outlet by itself, and reads the outlet back before the next operation begins: behind other resets in the queue,
   * the outlet would already be on again. Never throws; a `failure` may occur after the cycle was carried out.
   */
  cycleNatively(outlet: string, offSeconds: number, watch: ReadBack): Promise<NativeResult> {
    const native = this.driver.nativeCycle;
    if (native === undefined) throw new TypeError(`${this.name} cannot cycle an outlet itself`);
    // Reads do not wait for it.
    const later = this.deps.maySwitch(this.name, this.closing.signal);
    if (later !== undefined) {
      return later.then(
        () => this.cycleNatively(outlet, offSeconds, watch),
        (failure: unknown) => ({ seenOff: false, sentBy: performance.now(), failure }),
      );
    }
    return new Promise((resolve) => {
      const run = async (signal: AbortSignal) => {
        let failure: unknown;
        try {
          await this.attempt(
            this.signIns.toSwitch,
            this.whenAllowed((limit) => {
              this.states.commanded(outlet, ['off', 'on'], performance.now(), offSeconds * 1000);
              return native.run(outlet, offSeconds, limit);
            }),
            signal,
          );
        } catch (error) {
          failure = error;
        }
        const sentBy = performance.now();
        const isNotDone = failure instanceof CannotCycle || signal.aborted;
        const seenOff = isNotDone ? false : await this.untilOff(outlet, watch, signal);
        resolve({ seenOff, sentBy, ...(failure !== undefined && { failure }) });
      };
      this.enqueue({ first: false, run });
    });
  }

  /** Ends the running operation and rejects waiting ones. */
  async close(): Promise<void> {
    this.closing.abort(
      new Error(`${this.name}: removed from rack.yaml, or the daemon is stopping`),
    );
    await this.working;
    // Whatever the result, it is not used any more.
    await this.driver.close().catch(() => undefined);
  }

  /** Whether it was seen off. Turning on another outlet does not wait for this. */
  private async untilOff(
    outlet: string,
    { firstMs, withinMs }: ReadBack,
    signal: AbortSignal,
  ): Promise<boolean> {
    const end = performance.now() + withinMs;
    for (;;) {
      const readings = await new Promise<ReadonlyMap<string, OutletReading> | undefined>(
        (resolve) => {
          const reject = () => resolve(undefined);
          void this.readAll([{ outlets: [outlet], resolve, reject }], signal);
        },
      );
      if (isOff(readings?.get(outlet))) return true;
      if (performance.now() + firstMs > end || this.jobs[0]?.first) return false;
      await pause(firstMs, signal).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }

  /** As many waiting operations as fit into one; the others come after more urgent ones. */
  private readSome(signal: AbortSignal): Promise<void> {
    const { readsAtOnce = Number.POSITIVE_INFINITY } = this.driver;
    const outlets = new Set<string>();
    const more = this.reads.findIndex((read, index) => {
      for (const outlet of read.outlets) outlets.add(outlet);
      return index > 0 && outlets.size > readsAtOnce;
    });
    const now = this.reads.splice(0, more < 0 ? this.reads.length : more);
    if (more >= 0) this.enqueue({ first: false, run: (later) => this.readSome(later) });
    return this.readAll(now, signal);
  }

  private async readAll(reads: readonly Read[], signal: AbortSignal): Promise<void> {
    const outlets = [...new Set(reads.flatMap((read) => read.outlets))];
    const began = performance.now();
    try {
      const readings = await this.attempt(
        this.signIns.toRead,
        (limit) => this.driver.read(outlets, limit),
        signal,
      );
      this.states.read(readings, began);
      this.deps.emit({ type: 'read', controller: this.name, readings });
      for (const { resolve } of reads) resolve(readings);
    } catch (error) {
      if (error instanceof DeviceRejected && reads.length > 1) {
        // An outlet that the device does not have must not hide the others.
        for (const read of reads) await this.readAll([read], signal);
      } else {
        for (const { reject } of reads) reject(error);
      }
    }
  }

  private operate(first: boolean, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const later = this.deps.maySwitch(this.name, this.closing.signal);
    if (later !== undefined) return later.then(() => this.operate(first, work));
    return new Promise((resolve, reject) => {
      const run = (signal: AbortSignal) =>
        this.attempt(this.signIns.toSwitch, this.whenAllowed(work), signal).then(resolve, reject);
      this.enqueue({ first, run });
    });
  }

  /** An operation may have become forbidden while it was queued. */
  private whenAllowed(work: (signal: AbortSignal) => Promise<void>): typeof work {
    return async (signal) => {
      await this.deps.maySwitch(this.name, signal);
      await work(signal);
    };
  }

  private enqueue(job: Job): void {
    const firstOther = this.jobs.findIndex(({ first }) => !first);
    if (job.first && firstOther >= 0) this.jobs.splice(firstOther, 0, job);
    else this.jobs.push(job);
    this.working ??= this.work();
  }

  private async work(): Promise<void> {
    // Readings that are requested together are made together, even the first time.
    await undefined;
    while (this.jobs.length > 0) {
      this.job = this.jobs.shift();
      await this.job?.run(this.closing.signal);
    }
    this.job = undefined;
    this.working = undefined;
  }

  /** Runs it within its time; a busy device is retried. The result sets the controller's state. */
  private async attempt<T>(
    signIns: SignInPause,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { name, operationMs: ms } = this;
    const over = new AbortController();
    const late = () => over.abort(new DeviceTimeout(name, `no response within ${ms / 1000} s`));
    const timer = setTimeout(late, ms);
    const limit = AbortSignal.any([signal, over.signal]);
    try {
      const why = this.deps.crashNotes.whyNot(name);
      if (why !== undefined) throw new DeviceUnreachable(name, why);
      await signIns.beforeAttempt(name);
      const result = await this.deps.crashNotes.noted(name, () => this.untilNotBusy(work, limit));
      signIns.accepted();
      this.answered();
      return result;
    } catch (error) {
      const isOurs = limit.aborted && !(error instanceof DeviceError);
      let reason: unknown = isOurs ? limit.reason : error;
      if (reason instanceof SignInRejected && !(reason instanceof SignInPaused)) {
        reason = await signIns.rejectedBy(reason);
      } else if (reason instanceof DeviceRejected) signIns.accepted();
      this.failed(reason);
      throw reason;
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  private async untilNotBusy<T>(
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (;;) {
      // An operation that waited until the deadline does not begin.
      signal.throwIfAborted();
      try {
        // A driver that ignores its signal must not hold the queue.
        return await orAborted(work(signal), signal);
      } catch (error) {
        if (!(error instanceof DeviceBusy)) throw error;
        // The operation's deadline ends this; the error is that of the last attempt.
        await pause(busyPauseMs, signal).catch(() => {
          throw error;
        });
      }
    }
  }

  private answered(): void {
    this.lastContact = this.deps.clock.now();
    this.enter('up', undefined);
  }

  /** A device that rejects is present; after any other error it cannot be used now. */
  private failed(error: unknown): void {
    if (this.closing.signal.aborted) return;
    if (!(error instanceof DeviceRejected)) this.enter('down', errorText(error));
    else if (this.state !== 'down') this.answered();
  }

  /** It responds, but none of its answers are usable: a login page, another device. */
  makesNoSense(why: string): void {
    this.enter('down', why);
  }

  private enter(state: 'up' | 'down', detail: string | undefined): void {
    const changed = state !== this.state;
    if (changed) this.since = this.deps.clock.now();
    this.state = state;
    // Everybody names it already.
    const start = `${this.name}: `;
    this.detail = detail?.startsWith(start) ? detail.slice(start.length) : detail;
    if (changed) this.deps.emit({ type: 'controller', controller: this.name, state, detail });
  }
}

/** An outlet that is set off but still delivers power is not off. */
export function isOff(reading: OutletReading | undefined): boolean {
  return reading?.state === 'off' && reading.delivering !== true;
}
