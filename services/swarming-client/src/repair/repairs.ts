/**
 * Repairs missing devices, and decides when nothing may be repaired: during a task, a hold, a reboot. An adb server that
 * hangs is restarted before any other step. Each device's ladder decides about steps, and one step at a time is carried out on the whole
 * machine. A restart of the agent forgets earlier steps; the power-cycle daemon's limits keep the number of cycles low.
 */
import { HttpProblem } from '@skolo/common/light';
import type { DeviceView } from '../devices/device.ts';
import { oneDevice } from '../devices/one-device.ts';
import type { Health, Hold, Reason } from '../health/health.ts';
import type { PartDeps } from '../part-deps.ts';
import {
  type Condition,
  climb,
  healthy,
  type Ladder,
  type RepairSettings,
  type RepairStep,
  stepEnded,
} from './ladder.ts';
import { RepairRecords, type RepairView, type StepResult } from './records.ts';
import { doStep, type Patient, type StepDeps, stepsFor } from './steps.ts';

/** A device as repair sees it. */
export interface RepairTarget extends Patient {
  view: DeviceView;
}

interface RepairsDeps extends StepDeps, Pick<PartDeps, 'clock' | 'emit'> {
  /** Undefined: not known yet, and nothing is done. */
  settings: () => RepairSettings | undefined;
  targets: () => readonly RepairTarget[];
  health: () => Health;
  holds: () => readonly Hold[];
  /** Why nothing may be repaired although the machine is in service, as far as known: a task, a job that was announced elsewhere, or somebody who is on it. */
  whyBusy: () => string | undefined;
  /** Devices that reboot after a task. */
  rebooting: () => ReadonlyMap<string, Date>;
  stopping: () => boolean;
  /** The machine's adb server runs, but does not respond. */
  isAdbWedged: () => boolean;
  /** Why steps are only noted; undefined: they are carried out. */
  whyNotActing: () => string | undefined;
  /** Has the device read immediately: after a step. */
  readDevice: (device: string) => void;
}

/** Why a device is repaired: it is missing, did not come back, or never becomes ready. */
const broken = ['missing', 'needs-person', 'not-back', 'not-ready', 'not-listed'];
/** What may help a device that needs a person: a task may have started an adb server with another key, or as another user. */
const besidesPerson: readonly RepairStep[] = ['adb-reconnect', 'adb-restart'];
/** Longer than any step that limits its own time. */
const stepWithinMs = 180_000;
const tickMs = 5000;
const mostAdbPauseSeconds = 3600;

interface Running {
  device: string;
  step: RepairStep;
  ends: AbortController;
  done: Promise<void>;
}

export class Repairs {
  private readonly deps: RepairsDeps;
  private readonly ladders = new Map<string, Ladder>();
  private readonly records: RepairRecords;
  private running: Running | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private wasActing = true;
  /** Consecutive restarts of a wedged adb server, and the earliest time of the next one. */
  private adbRestarts = { count: 0, nextAt: 0 };

  constructor(deps: RepairsDeps) {
    this.deps = deps;
    this.records = new RepairRecords(deps.emit);
  }

  start(): void {
    this.timer = setInterval(() => this.startDue(), tickMs);
  }

  /** A step in progress is aborted; a port that it turned off is turned on first. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    this.running?.ends.abort(new Error('interrupted: the agent is stopping'));
    await this.running?.done;
  }

  /** Checks what is known now, and begins what is due. May also be called when a task begins, or a device comes back. */
  startDue(): void {
    const settings = this.deps.settings();
    if (settings === undefined || this.isStopped) return;
    const busy = this.running && this.deps.whyBusy();
    if (busy) this.running?.ends.abort(new Error(`interrupted: ${busy}`));
    const targets = this.deps.targets();
    const isActing = this.deps.whyNotActing() === undefined;
    // A step that was only noted was not tried.
    if (isActing && !this.wasActing) {
      this.ladders.clear();
      this.adbRestarts = { count: 0, nextAt: 0 };
    }
    this.wasActing = isActing;
    this.forgetOthers(targets);
    this.unwedgeAdb(targets, settings);
    for (const target of targets) this.repairIfNeeded(target, settings);
  }

  /** Devices that it has given up on, and why. */
  givenUp(): ReadonlyMap<string, string> {
    const given = [...this.ladders].flatMap(([name, { givenUp }]) =>
      givenUp === undefined ? [] : [[name, givenUp] as const],
    );
    return new Map(given);
  }

  /** The last twenty steps, newest last. */
  view(): readonly RepairView[] {
    return this.records.view();
  }

  /** Steps that people may order, by device; devices without one are absent. */
  steps(): ReadonlyMap<string, readonly RepairStep[]> {
    const { settings, targets } = this.deps;
    const wanted = settings()?.steps ?? [];
    const all = targets().map(
      (target) => [target.attached.name, stepsFor(wanted, target, this.deps)] as const,
    );
    return new Map(all.filter(([, steps]) => steps.length > 0));
  }

  /**
   * Begins one step that a person has ordered, even with a healthy device. The ladder does not count it.
   *
   * @throws HttpProblem 404, 409
   */
  order({ device, step: wanted, why }: { device?: string | undefined; step: string; why: string }) {
    const targets = this.deps.targets().map((target) => ({ name: target.attached.name, target }));
    const names = [...this.steps()].map(([name, steps]) => `${name} (${steps.join(', ')})`);
    const hint =
      names.length === 0
        ? 'the machine has no repairable devices'
        : `the machine has: ${names.join('; ')}`;
    const { name, target } = oneDevice(targets, device, hint);
    const step = this.steps()
      .get(name)
      ?.find((each) => each === wanted);
    if (step === undefined) throw new HttpProblem(404, `${name}: no step ${wanted}; ${hint}`);
    const whyNot = this.isStopped
      ? 'the agent is stopping'
      : (this.deps.whyNotActing() ?? this.whyNot(target));
    if (whyNot !== undefined) throw new HttpProblem(409, `${name}: ${step} not started: ${whyNot}`);
    this.startStep(step, target, this.ladders.get(name)?.round ?? 1, why);
  }

  /** Records a step that `acts: false` prohibits. Returns false if it may be carried out. */
  wouldHave(device: string, step: RepairView['step'], why: string, round = 1): boolean {
    if (this.deps.whyNotActing() === undefined) return false;
    const at = new Date(this.deps.clock.now());
    const record = this.records.start({ device, round, step, at });
    this.ended(record, { outcome: 'would-have', text: why });
    return true;
  }

  /** After an operator has repaired the device: its ladder starts over if it is still missing. */
  restart(device: string): void {
    if (this.running?.device !== device) this.ladders.delete(device);
  }

  /**
   * A phone behind a wedged server, or one that does not list phones, is invisible, and no step can change that. So the server is restarted
   * immediately, before the steps of any ladder and even after one was given up. If that does not help, the ladders continue meanwhile, but
   * only for a wedged server: a phone may be the reason why it hangs, but not of an error.
   */
  private unwedgeAdb(targets: readonly RepairTarget[], settings: RepairSettings): void {
    const { isAdbWedged, whyBusy, stopping, holds, clock } = this.deps;
    const served = targets.filter(({ device }) => device.repairs['adb-restart'] !== undefined);
    const why = isAdbWedged()
      ? 'the adb server is not responding'
      : served.find(({ view }) => view.code === 'not-listed')?.view.why;
    if (why === undefined) {
      if (this.running?.step !== 'adb-restart') this.adbRestarts.count = 0;
      return;
    }
    const [target] = served;
    const isWanted = settings.steps.includes('adb-restart') && target !== undefined;
    if (!isWanted || this.running !== undefined || clock.uptime() < this.adbRestarts.nextAt) return;
    if (whyBusy() || stopping() || holds().length > 0) return;
    const { round } = this.ladders.get(target.attached.name) ?? healthy;
    this.startStep('adb-restart', target, round, why);
  }

  /** From its end on, however long it took: only the next readings show whether it helped. */
  private pauseAdbRestarts({ pauseSeconds }: RepairSettings, later: number | undefined): void {
    const { count } = this.adbRestarts;
    const pause = later ?? Math.min(pauseSeconds * 2 ** count, mostAdbPauseSeconds);
    const nextAt = this.deps.clock.uptime() + Math.max(pauseSeconds, pause);
    this.adbRestarts = { count: later === undefined ? count + 1 : count, nextAt };
  }

  private repairIfNeeded(target: RepairTarget, settings: RepairSettings): void {
    const { name } = target.attached;
    const before = this.ladders.get(name) ?? healthy;
    const reason = this.reasonFor(name);
    const condition = this.conditionOf(target, reason);
    if (condition === 'well') this.records.isWell(name);
    const needsPerson = target.view.code === 'needs-person';
    const steps = stepsFor(settings.steps, target, this.deps);
    const { ladder, step } = climb(
      before,
      {
        now: this.deps.clock.uptime(),
        condition,
        mayAct: this.whyNot(target) === undefined,
        steps: needsPerson ? steps.filter((step) => besidesPerson.includes(step)) : steps,
        needsPerson,
        whyNotActing: this.deps.whyNotActing(),
      },
      settings,
    );
    this.ladders.set(name, ladder);
    if (ladder.givenUp !== before.givenUp) {
      this.records.isOver(name);
      const { givenUp: why } = ladder;
      this.deps.emit(
        why === undefined ? { type: 'facts' } : { type: 'needs-attention', device: name, why },
      );
    }
    if (step !== undefined)
      this.startStep(step, target, ladder.round, reason?.text ?? 'the device has disappeared');
  }

  private startStep(step: RepairStep, target: RepairTarget, round: number, why: string): void {
    const { name } = target.attached;
    if (this.wouldHave(name, step, why, round)) return;
    const ends = new AbortController();
    const timer = setTimeout(
      () => ends.abort(new Error(`interrupted: not finished within ${stepWithinMs / 1000} s`)),
      stepWithinMs,
    );
    const at = new Date(this.deps.clock.now());
    const record = this.records.start({ device: name, round, step, at });
    const done = doStep(step, target, why, this.deps, ends.signal).then((result) => {
      clearTimeout(timer);
      this.running = undefined;
      this.ended(record, result);
    });
    this.running = { device: name, step, ends, done };
    this.deps.emit({ type: 'repair-started', repair: record, why });
  }

  private ended(record: RepairView, result: StepResult): void {
    const { device: name, step } = record;
    this.records.ended(record, result);
    const later = result.outcome === 'postponed' ? result.later : undefined;
    const settings = this.deps.settings();
    const ladder = this.ladders.get(name);
    if (ladder !== undefined && settings !== undefined) {
      this.ladders.set(name, stepEnded(ladder, this.deps.clock.uptime(), { later }, settings));
    }
    if (step === 'adb-restart' && settings !== undefined) this.pauseAdbRestarts(settings, later);
    // One server serves all phones.
    const seen = step === 'adb-restart' ? [...this.ladders.keys()] : [name];
    for (const each of this.isStopped ? [] : seen) this.deps.readDevice(each);
    this.deps.emit({ type: 'repair-ended', repair: record });
  }

  private conditionOf({ view, attached }: RepairTarget, reason: Reason | undefined): Condition {
    const mayBeItsFault = view.code === 'not-listed' && this.deps.isAdbWedged();
    if (view.state === 'unknown' && !mayBeItsFault) return 'unclear';
    if (this.deps.rebooting().has(attached.name)) return 'unclear';
    if (reason === undefined) return view.state === 'present' ? 'well' : 'unclear';
    // It is booting, and may still become ready.
    return reason.verdict === 'quarantined' ? 'broken' : 'unclear';
  }

  private reasonFor(name: string): Reason | undefined {
    const { reasons } = this.deps.health();
    return reasons.find(({ device, code }) => device === name && broken.includes(code));
  }

  /** Why no step may begin with it now; undefined: one may. */
  private whyNot({ attached }: RepairTarget): string | undefined {
    const { whyBusy, stopping, holds, usb, rebooting } = this.deps;
    if (this.running) return `${this.running.step} of ${this.running.device} is in progress`;
    const busy = whyBusy();
    if (busy) return `${busy}; try again when this has ended`;
    if (stopping()) return 'the agent is stopping';
    const others = this.deps.targets().filter((other) => other.attached.name !== attached.name);
    const hold = holds().find(
      ({ target }) => !others.some((other) => other.attached.fullName === target),
    );
    if (hold) return `${hold.target} was put on hold by ${hold.by}: ${hold.reason}`;
    // Nor while another one reboots: a step that restarts adb would disturb it.
    const [booting] = rebooting().keys();
    if (booting !== undefined) return `${booting} is rebooting after a task`;
    if (attached.power === undefined || !usb.isKeptOff(attached.power)) return undefined;
    return 'the USB port was turned off by an operator';
  }

  private forgetOthers(targets: readonly RepairTarget[]): void {
    const names = new Set(targets.map(({ attached }) => attached.name));
    for (const name of this.ladders.keys()) {
      if (!names.has(name) && this.running?.device !== name) this.ladders.delete(name);
    }
  }
}
