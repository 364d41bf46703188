/**
 * The queue of one switch, PDU or hub, so that a slow, hanging or missing one does not delay the others. One
 * operation runs at a time; turning on goes first, even before a reading that runs; waiting readings are combined.
 */

import { errorText, orAborted, pause, withDeadline } from '@skolo/base';
import { type Clock, type CrashNotes, wallTime } from '@skolo/common';
import { CannotCycle, type OutletReading, type PowerDriver } from '@skolo/equipment/models/outlets';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import type { EmitPower } from '../events.ts';
import type { MaySwitch } from './may-switch.ts';
import { OutletStates } from './outlet-states.ts';
import type { SignInPause } from './sign-in-pause.ts';
import { timeLimitOf } from './time-limit.ts';

export interface ControllerDeps {
  clock: Pick<Clock, 'now' | 'uptime' | 'presence'>;
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
  /** Turning on what is on already may turn it off (a toggle, a pulse), so that a reading before has the time of an operation; default: no. */
  mayToggle?: boolean;
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
  /** How long a reading without an answer may take. */
  silentMs: number;
}

type Work<T> = (signal: AbortSignal) => Promise<T>;
/** Decides whether, when and for how long `work` runs, or what its result means. */
type Guard = <T>(work: Work<T>, signal: AbortSignal) => Promise<T>;

/** Why a reading ended: an outlet of the device must be turned on. */
class OnComesFirst extends Error {}

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

const compareWithinMs = 10_000;
const busyPauseMs = 1000;
/** Failures in a row that a pause of this process interrupted, and that say nothing about the device. */
const mostInterrupted = 3;
/** A reading that ends within this time keeps its session for the command that waits for it. */
const briefReadingMs = 400;
/** For a reading before an outlet is turned on, without a sign-in. */
const lookMs = 5000;

export class Controller {
  readonly name: string;
  readonly model: string;
  readonly automaticRepair: boolean;
  /** For the device to take a step. */
  readonly stepMs: number;
  /** For a reading that turning on can do without. */
  readonly lookMs: number;
  private readonly operationMs: number;
  state: 'unknown' | 'up' | 'down' = 'unknown';
  /** Since when it is in this state; milliseconds since 1970. */
  since: number;
  /** Why it is down. */
  detail: string | undefined;
  /** Seconds since boot. */
  private contactAt: number | undefined;
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
  /** The result of its last attempt, while the next one is waited for. */
  private busy: DeviceBusy | undefined;
  private interrupted = 0;
  /** Ends the last reading. */
  private endReading: () => void = () => undefined;

  constructor(facts: ControllerFacts, driver: PowerDriver, signIns: SignIns, deps: ControllerDeps) {
    this.name = facts.name;
    this.model = facts.model;
    this.automaticRepair = facts.automaticRepair;
    this.stepMs = (facts.stepSeconds ?? 0) * 1000;
    this.operationMs = timeLimitOf(facts);
    this.lookMs = facts.mayToggle ? this.operationMs : lookMs + (facts.signInSeconds ?? 0) * 1000;
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

  /** By the current wall clock; milliseconds since 1970. */
  get lastContact(): number | undefined {
    return this.contactAt === undefined ? undefined : wallTime(this.deps.clock, this.contactAt);
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

  /** The last reading that showed its state, with the mode in which it was on; undefined: none did. */
  lastReading(outlet: string): OutletReading | undefined {
    return this.states.last(outlet);
  }

  /** @throws DeviceError */
  read(outlets: readonly string[]): Promise<ReadonlyMap<string, OutletReading>> {
    return new Promise((resolve, reject) => this.toRead([{ outlets, resolve, reject }]));
  }

  /** @throws DeviceError */
  turnOff(outlet: string, alone?: true): Promise<void> {
    return this.command([this.inTurn(false)], (signal) => {
      this.states.commanded(outlet, ['off'], performance.now());
      return this.driver.turnOff(outlet, signal, alone);
    });
  }

  /** @throws DeviceError */
  turnOn(outlet: string, how: Pick<OutletReading, 'mode' | 'via'>): Promise<void> {
    return this.command([this.inTurn(true)], (signal) => {
      this.states.commanded(outlet, ['on'], performance.now());
      return this.driver.turnOn(outlet, how, signal);
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
    const { readsAtOnce: atOnce = all.length } = this.driver;
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
  async cycleNatively(outlet: string, offSeconds: number, watch: ReadBack): Promise<NativeResult> {
    const native = this.driver.nativeCycle;
    if (native === undefined) throw new TypeError(`${this.name} cannot cycle an outlet itself`);
    const result: NativeResult = { seenOff: false, sentBy: performance.now() };
    const keep = (failure: unknown) => Object.assign(result, { failure });
    const readBack: Guard = (work, signal) => {
      const sent = work(signal);
      return sent.catch(keep).then(async () => {
        result.sentBy = performance.now();
        const isNotDone = result.failure instanceof CannotCycle || signal.aborted;
        result.seenOff = !isNotDone && (await this.untilOff(outlet, watch, signal));
        return sent;
      });
    };
    await this.command([this.inTurn(false), readBack], (signal) => {
      this.states.commanded(outlet, ['off', 'on'], performance.now(), offSeconds * 1000);
      return native.run(outlet, offSeconds, signal);
    }).catch(keep);
    return result;
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
    { firstMs, withinMs, silentMs }: ReadBack,
    signal: AbortSignal,
  ): Promise<boolean> {
    const end = performance.now() + withinMs;
    const late = () => new DeviceTimeout(this.name, `no reading within ${silentMs / 1000} s`);
    const isSeenOff = async (limit: AbortSignal) => {
      for (;;) {
        const readings = await this.readNow([outlet], limit).catch(() => undefined);
        if (isOff(readings?.get(outlet))) return true;
        if (performance.now() + firstMs > end || this.jobs[0]?.first) return false;
        await pause(firstMs, limit);
      }
    };
    return withDeadline({ ms: silentMs, late, signal }, isSeenOff).catch(() => false);
  }

  private toRead(reads: readonly Read[]): void {
    this.reads.push(...reads);
    // The operation that waits reads these, too.
    if (this.reads.length > reads.length) return;
    this.enqueue({ first: false, run: (signal) => this.readSome(signal) });
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
    try {
      const outlets = [...new Set(reads.flatMap((read) => read.outlets))];
      const readings = await this.readNow(outlets, signal);
      for (const { resolve } of reads) resolve(readings);
    } catch (error) {
      if (error instanceof OnComesFirst) {
        this.toRead(reads);
      } else if (error instanceof DeviceRejected && reads.length > 1) {
        // An outlet that the device does not have must not hide the others.
        for (const read of reads) await this.readAll([read], signal);
      } else {
        for (const { reject } of reads) reject(error);
      }
    }
  }

  private async readNow(
    outlets: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, OutletReading>> {
    const began = performance.now();
    const read = (limit: AbortSignal) => this.driver.read(outlets, limit);
    const readings = await this.guarded(read, this.signIns.toRead, [this.untilOn])(signal);
    this.states.read(readings, began);
    this.deps.emit({ type: 'read', controller: this.name, readings });
    return readings;
  }

  private command(turn: readonly Guard[], work: Work<void>): Promise<void> {
    const { toSwitch } = this.signIns;
    return this.guarded(work, toSwitch, turn, [this.whenAllowed])(this.closing.signal);
  }

  /**
   * What an operation passes on its way to the driver. A guard that throws ends it, and no later one has an effect. `turn`: how it waits, ends,
   * or is read back. `allowed`: whether outlets may be switched, for a command.
   */
  private guarded<T>(
    work: Work<T>,
    signIns: SignInPause,
    turn: readonly Guard[],
    allowed: readonly Guard[] = [],
  ): Work<T> {
    const guards: readonly Guard[] = [
      ...allowed, //              before the queue: in a jumphost's first minutes, no reading waits behind it
      ...turn, //                 one at a time: all that follow belong to the running operation
      this.judged, //             around all that can fail: the result is the controller's state
      this.inTime, //             from its turn on: attempts and pauses count, waiting in the queue does not
      this.signedIn(signIns), //  before the device hears of it: a rejected sign-in must not be repeated
      this.noted, //              around what reaches the device, once for all attempts
      this.untilNotBusy, //       each attempt passes all that follow
      ...allowed, //              again: it may have become forbidden in the queue
      attended, //                last: a driver that ignores its signal must not hold the queue
    ];
    return guards.reduceRight<Work<T>>((inner, guard) => (signal) => guard(inner, signal), work);
  }

  private readonly whenAllowed: Guard = async (work, signal) => {
    for (;;) {
      const later = this.deps.maySwitch(this.name, signal);
      if (later === undefined) return work(signal);
      await later;
    }
  };

  private inTurn(first: boolean): Guard {
    return (work) =>
      new Promise((resolve, reject) => {
        this.enqueue({ first, run: (signal) => work(signal).then(resolve, reject) });
      });
  }

  /** Restoring power does not wait for a reading. @throws OnComesFirst */
  private readonly untilOn: Guard = async (work, signal) => {
    if (this.jobs[0]?.first) throw new OnComesFirst();
    const over = new AbortController();
    const end = () => over.abort(new OnComesFirst());
    const briefUntil = performance.now() + briefReadingMs;
    this.endReading = () => {
      setTimeout(end, Math.max(0, briefUntil - performance.now())).unref();
    };
    return work(AbortSignal.any([signal, over.signal]));
  };

  private readonly judged: Guard = async (work, signal) => {
    const wasPaused = this.deps.clock.presence.watch();
    const result = await work(signal).catch((error: unknown) => this.failed(error, wasPaused()));
    this.answered();
    return result;
  };

  private readonly inTime: Guard = (work, signal) => {
    const { name, operationMs: ms } = this;
    const late = () => this.busy ?? new DeviceTimeout(name, `no response within ${ms / 1000} s`);
    return withDeadline({ ms, late, signal }, work);
  };

  private signedIn(signIns: SignInPause): Guard {
    return async (work, signal) => {
      await signIns.beforeAttempt(this.name);
      const result = await work(signal).catch(async (error: unknown) => {
        if (error instanceof SignInRejected) throw await signIns.rejectedBy(error);
        if (error instanceof DeviceRejected) signIns.accepted();
        throw error;
      });
      signIns.accepted();
      return result;
    };
  }

  private readonly noted: Guard = async (work, signal) => {
    const { crashNotes } = this.deps;
    const why = crashNotes.whyNot(this.name);
    if (why !== undefined) throw new DeviceUnreachable(this.name, why);
    return crashNotes.noted(this.name, () => work(signal));
  };

  private readonly untilNotBusy: Guard = async (work, signal) => {
    for (;;) {
      this.busy = undefined;
      // An operation that waited until the deadline does not begin.
      signal.throwIfAborted();
      try {
        return await work(signal);
      } catch (error) {
        if (!(error instanceof DeviceBusy)) throw error;
        this.busy = error;
        await pause(busyPauseMs, signal);
      }
    }
  };

  private enqueue(job: Job): void {
    const firstOther = this.jobs.findIndex(({ first }) => !first);
    if (job.first && firstOther >= 0) this.jobs.splice(firstOther, 0, job);
    else this.jobs.push(job);
    if (job.first) this.endReading();
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

  private answered(): void {
    this.interrupted = 0;
    this.contactAt = this.deps.clock.uptime();
    this.enter('up', undefined);
  }

  /** A device that rejects is present; after any other error it cannot be used now. */
  private failed(error: unknown, wasPaused: boolean): never {
    if (this.closing.signal.aborted || error instanceof OnComesFirst) throw error;
    this.interrupted = wasPaused ? this.interrupted + 1 : 0;
    const isVerdict = !wasPaused || this.interrupted > mostInterrupted;
    if (error instanceof DeviceRejected) {
      if (this.state !== 'down') this.answered();
    } else if (isVerdict) this.enter('down', errorText(error));
    throw error;
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

const attended: Guard = (work, signal) => orAborted(work(signal), signal);

/** An outlet that is set off but still delivers power is not off. */
export function isOff(reading: OutletReading | undefined): boolean {
  return reading?.state === 'off' && reading.delivering !== true;
}
