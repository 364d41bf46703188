/**
 * Reads each controller's outlets periodically, decides whether the controller is down, and turns off again what a person turned off and
 * a rebooted PDU turned on. It never turns on: see pending-ons.ts. A controller that does not respond is retried forever, with growing pauses.
 */

import { backOffMs, errorText, isoTime, type Repetition, repeat } from '@skolo/base';
import type { Change } from '@skolo/base/durable';
import type { Clock, CrashNotes } from '@skolo/common';
import type { OutletReading } from '@skolo/equipment/models/outlets';
import { DeviceRejected } from '@skolo/equipment/transports';
import { formatOutlet, goesDark, type Rack } from '@skolo/rack';
import type { Controller } from '../equipment/controller.ts';
import type { Controllers } from '../equipment/controllers.ts';
import { turnOff } from '../equipment/outlets.ts';
import type { Timing } from '../equipment/timing.ts';
import type { PartDeps } from '../part-deps.ts';
import { whyObserved } from '../rules/observed.ts';
import { whyNeeded } from '../rules/power-loss.ts';
import { findTarget, numberedOutlets, usedOutlets } from '../rules/targets.ts';
import { type CycleRecord, feedKey, type SwitchedOff } from '../state/records.ts';

interface OutletWatchDeps extends Pick<PartDeps, 'rack' | 'store' | 'log'> {
  controllers: Pick<Controllers, 'get' | 'all'>;
  timing: Pick<Timing, 'patience'>;
  clock: Pick<Clock, 'now'>;
  crashNotes: Pick<CrashNotes, 'whenDue' | 'inTurn'>;
}

interface Loop extends Repetition {
  controller: Controller;
  ending: AbortController;
}

export interface TimedReading extends OutletReading {
  /** Milliseconds since 1970. */
  at: number;
}

/** Outlets without a meter report 0 W, too, so only one that once showed more can show that nothing draws power. */
const leastWatts = 1;
const day = 86_400_000;
const drawCountsMs = 7 * day;

/** rack.yaml may have assigned the outlet to something else, which must not go dark. */
function whyMoved(rack: Rack, key: string, { target }: SwitchedOff): string | undefined {
  if (target === undefined) return undefined;
  const feeds = findTarget(rack, target)?.feeds ?? [];
  if (feeds.some((feed) => formatOutlet(feed) === key)) return undefined;
  return `the outlet was turned off to cut power to ${target}, which it no longer powers`;
}

export class OutletWatch {
  /** By `switch-1/14`, the last reading by anybody. */
  readonly readings = new Map<string, TimedReading>();
  private readonly deps: OutletWatchDeps;
  private readonly loops = new Set<Loop>();
  /** Outlets that are left on although a person turned them off. */
  private readonly spared = new Set<string>();

  constructor(deps: OutletWatchDeps) {
    this.deps = deps;
  }

  /** Watches exactly the current controllers. Call it again when rack.yaml, or what people turned off, has changed. */
  follow(): void {
    const { controllers, rack, store } = this.deps;
    const isHub = (name: string) => rack().machines.has(name);
    // A machine's hub is only read on request, because there are hundreds. The exception is a hub with a port that a person turned off:
    // each reboot of the machine turns it on.
    const hubs = [...store.switchedOff.all.values()].map((off) => off.controller).filter(isHub);
    const wanted = new Set([
      ...controllers.all().filter(({ name }) => !isHub(name)),
      ...hubs.flatMap((name) => controllers.get(name) ?? []),
    ]);
    for (const { controller, ending } of this.loops) {
      if (!wanted.delete(controller)) ending.abort();
    }
    for (const controller of wanted) this.watch(controller);
  }

  /** A cycle has changed. */
  noteCycle(record: CycleRecord): void {
    // From now on an off may be a person's, or no longer be one.
    if (record.action !== 'cycle') this.follow();
    if (record.phase === 'finished') this.hurryAfter(record);
  }

  noteReadings(controller: string, readings: ReadonlyMap<string, OutletReading>): void {
    const { clock, store } = this.deps;
    const at = clock.now();
    const supplied: Change[] = [];
    for (const [outlet, reading] of readings) {
      const key = `${controller}/${outlet}`;
      this.readings.set(key, { ...reading, at });
      const { watts = 0 } = reading;
      // Once a day, because each is a synced write.
      if (watts <= leastWatts || this.suppliedWatts(key, day) !== undefined) continue;
      supplied.push(store.supplied.put({ controller, outlet, watts, at: isoTime(at) }));
    }
    if (supplied.length > 0) void store.writeLater(supplied);
  }

  /** How much the outlet supplied when it was read as more than nothing, within a week; undefined: nothing shows that it is metered. */
  suppliedWatts(key: string, withinMs = drawCountsMs): number | undefined {
    const { clock, store } = this.deps;
    const last = store.supplied.get(key);
    // The wall clock may have been set back.
    return last && Math.abs(clock.now() - Date.parse(last.at)) <= withinMs ? last.watts : undefined;
  }

  async close(): Promise<void> {
    for (const { ending } of this.loops) ending.abort();
    await Promise.all([...this.loops].map(({ ended }) => ended));
  }

  /** Controllers that lost power or network with the target are read at once, and those of its outlets if they were unreachable. */
  private hurryAfter({ feeds }: CycleRecord): void {
    const outlets = feeds.map(({ controller: device, outlet }) => ({ device, outlet }));
    const dark = new Set(goesDark(this.deps.rack(), outlets));
    for (const { controller, hurry } of this.loops) {
      const isItsOwn = outlets.some(({ device }) => device === controller.name);
      if (dark.has(controller.name) || (isItsOwn && controller.state !== 'up')) hurry();
    }
  }

  private watch(controller: Controller): void {
    const { crashNotes, log, rack } = this.deps;
    const { name } = controller;
    const ending = new AbortController();
    const { signal } = ending;
    let failures = 0;
    const pauseMs = () => {
      const { readSeconds, probeSeconds } = rack().services['power-cycle-daemon'];
      const bounds = { firstMs: probeSeconds.first * 1000, maxMs: probeSeconds.most * 1000 };
      return failures > 0 ? backOffMs(failures, bounds) : readSeconds * 1000;
    };
    const look = async () => {
      await crashNotes.whenDue(name, signal);
      const failed = await crashNotes.inTurn(name, () => this.readOutlets(controller, signal));
      failures = failed ? failures + 1 : 0;
    };
    const broke = (err: unknown) => {
      if (signal.aborted) return;
      log.error({ err, controller: name }, 'watch broke');
      ending.abort();
    };
    const { ended, hurry } = repeat(pauseMs, () => look().catch(broke), signal);
    const hurryAgain = () => {
      failures = 0;
      hurry();
    };
    const loop: Loop = { controller, ending, ended, hurry: hurryAgain };
    this.loops.add(loop);
    void ended.then(() => this.loops.delete(loop));
  }

  /** Returns whether it failed. */
  private async readOutlets(controller: Controller, signal: AbortSignal): Promise<boolean> {
    const outlets = this.outletsOf(controller.name);
    if (outlets.length === 0) return false;
    // Requested one by one and read together: an unreadable outlet does not hide the others.
    const answers = await Promise.allSettled(outlets.map((outlet) => controller.read([outlet])));
    let isRead = false;
    let rejection: unknown;
    for (const [index, answer] of answers.entries()) {
      const outlet = outlets[index] ?? '';
      if (answer.status === 'rejected') {
        const why = errorText(answer.reason);
        rejection ??= answer.reason;
        this.deps.log.debug({ outlet: `${controller.name}/${outlet}`, why }, 'not read');
        continue;
      }
      isRead = true;
      const state = answer.value.get(outlet)?.state;
      if (state !== undefined) await this.settleInherited(`${controller.name}/${outlet}`, state);
      if (state === 'on') await this.enforce(controller, outlet, signal);
    }
    if (!isRead && rejection instanceof DeviceRejected)
      controller.makesNoSense(errorText(rejection));
    return !isRead;
  }

  /** Since the journal was copied, a person may have turned it on. */
  private async settleInherited(key: string, state: OutletReading['state']): Promise<void> {
    const { store, log } = this.deps;
    const off = store.switchedOff.get(key);
    if (off?.inherited === undefined || this.isUnderWay(key)) return;
    const { inherited: _, ...own } = off;
    if (state === 'off') return await store.writeLater([store.switchedOff.put(own)]);
    if (state !== 'on') return;
    log.warn(
      { outlet: key, by: off.by, at: off.at },
      'inherited record discarded: the outlet is reported as on',
    );
    await store.writeLater([store.switchedOff.remove(key)]);
  }

  /** It is on. */
  private async enforce(
    controller: Controller,
    outlet: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { rack, store, log, timing } = this.deps;
    const { patience } = timing;
    const key = `${controller.name}/${outlet}`;
    const off = store.switchedOff.get(key);
    if (off === undefined || this.isUnderWay(key)) return;
    const target = findTarget(rack(), off.target ?? key);
    const why =
      whyMoved(rack(), key, off) ??
      whyNeeded(rack(), { device: controller.name, outlet }) ??
      (target && whyObserved(target, rack()));
    if (why !== undefined) {
      if (!this.spared.has(key))
        log.error(
          { outlet: key, by: off.by, why },
          'outlet left on, although an operator turned it off',
        );
      this.spared.add(key);
      return;
    }
    this.spared.delete(key);
    const verification = await turnOff(controller, outlet, { tries: 1, patience }, signal);
    log.warn(
      { outlet: key, by: off.by, at: off.at, result: verification.text },
      verification.is === 'verified' ? 'turned off again' : 'could not be turned off again',
    );
  }

  private isUnderWay(key: string): boolean {
    return this.deps.store
      .active()
      .some(({ feeds }) => feeds.some((feed) => feedKey(feed) === key));
  }

  /** Outlets that feed something, those of a PDU that feeds nothing, and those that a person turned off. */
  private outletsOf(name: string): string[] {
    const { rack, store } = this.deps;
    const off = [...store.switchedOff.all.values()].filter(({ controller }) => controller === name);
    const used = [...usedOutlets(rack(), name), ...numberedOutlets(rack(), name)];
    return [...new Set([...used, ...off.map(({ outlet }) => outlet)])];
  }
}
