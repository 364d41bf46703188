/**
 * Reads the outlets of each controller from time to time: that they are as they should be, what they draw, and that the
 * controller answers at all. One that does not is asked again with growing pauses, for ever. What a person turned off and
 * a rebooted PDU turned on is turned off again.
 */
import { backOffMs, errorText, type Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { Controller } from './controller.ts';
import type { OutletReading } from './drivers/driver.ts';
import { pause } from './pause.ts';
import { type Patience, turnOff } from './prove.ts';
import type { Store } from './store.ts';
import { allTargets } from './targets.ts';

export interface OutletWatchDeps {
  rack: () => Rack;
  store: Store;
  controllers: () => Controller[];
  patience: Patience;
  log: Logger;
  signal: AbortSignal;
}

export interface TimedReading extends OutletReading {
  /** Milliseconds since 1970. */
  at: number;
}

export class OutletWatch {
  /** By `switch-1/14`, as read last by anybody. */
  readonly readings = new Map<string, TimedReading>();
  private readonly deps: OutletWatchDeps;
  private readonly loops = new Map<string, { controller: Controller; done: Promise<void> }>();
  /** Wakes a loop before its time. */
  private readonly wakers = new Map<string, () => void>();

  constructor(deps: OutletWatchDeps) {
    this.deps = deps;
  }

  /** Watches each controller that there is, and no other. Call it again when rack.yaml has changed. */
  follow(): void {
    for (const controller of this.deps.controllers()) {
      const { name } = controller;
      // A machine's hub is asked when somebody wants to know: hundreds of them every minute would be a nuisance.
      if (this.deps.rack().machines.has(name)) continue;
      if (this.loops.get(name)?.controller === controller) continue;
      this.wakers.get(name)?.();
      const done = this.loop(controller).catch((error: unknown) => {
        if (!this.deps.signal.aborted)
          this.deps.log.error({ err: error, controller: name }, 'watch broke');
      });
      this.loops.set(name, { controller, done });
    }
  }

  noteReadings(
    controller: Controller,
    readings: ReadonlyMap<string, OutletReading>,
    at: number,
  ): void {
    for (const [outlet, reading] of readings) {
      this.readings.set(`${controller.name}/${outlet}`, { ...reading, at });
    }
  }

  async close(): Promise<void> {
    for (const wake of this.wakers.values()) wake();
    await Promise.all([...this.loops.values()].map(({ done }) => done));
  }

  private async loop(controller: Controller): Promise<void> {
    const { signal } = this.deps;
    let failures = 0;
    while (!signal.aborted && this.isCurrent(controller)) {
      const failed = await this.look(controller);
      failures = failed ? failures + 1 : 0;
      const { readSeconds, probeSeconds } = this.deps.rack().services['power-cycle-daemon'];
      const bounds = { firstMs: probeSeconds.first * 1000, maxMs: probeSeconds.most * 1000 };
      await this.sleep(controller.name, failed ? backOffMs(failures, bounds) : readSeconds * 1000);
    }
  }

  /** Gives whether it failed. */
  private async look(controller: Controller): Promise<boolean> {
    const outlets = this.outletsOf(controller.name);
    if (outlets.length === 0) return false;
    try {
      const readings = await controller.read(outlets);
      await this.enforce(controller, readings);
      return false;
    } catch (error) {
      this.deps.log.debug({ controller: controller.name, why: errorText(error) }, 'not read');
      return true;
    }
  }

  private async enforce(
    controller: Controller,
    readings: ReadonlyMap<string, OutletReading>,
  ): Promise<void> {
    const { store, log, patience, signal } = this.deps;
    for (const [outlet, { state }] of readings) {
      const key = `${controller.name}/${outlet}`;
      const wish = store.wishes.get(key);
      if (wish === undefined || state !== 'on' || this.isUnderWay(key)) continue;
      const proof = await turnOff(controller, outlet, { tries: 1, patience }, signal);
      log.warn({ outlet: key, by: wish.by, at: wish.at, result: proof.text }, 'turned off again');
    }
  }

  private isUnderWay(key: string): boolean {
    const { cycles } = this.deps.store;
    return [...cycles.all.values()].some(
      ({ phase, feeds }) =>
        phase !== 'finished' &&
        feeds.some(({ controller, outlet }) => `${controller}/${outlet}` === key),
    );
  }

  /** Those that feed something, and those that a person turned off. */
  private outletsOf(name: string): string[] {
    const { rack, store } = this.deps;
    const { jumphost } = rack();
    const feeds = [...allTargets(rack()), { feeds: jumphost.power }].flatMap(
      (target) => target.feeds,
    );
    const used = feeds.filter(({ device }) => device === name).map(({ outlet }) => outlet);
    const wished = [...store.wishes.all.values()].filter(({ controller }) => controller === name);
    return [...new Set([...used, ...wished.map(({ outlet }) => outlet)])];
  }

  private isCurrent(controller: Controller): boolean {
    return this.deps.controllers().includes(controller);
  }

  private async sleep(name: string, ms: number): Promise<void> {
    const awake = new AbortController();
    this.wakers.set(name, () => awake.abort());
    await pause(ms, awake.signal).catch(() => undefined);
    this.wakers.delete(name);
  }
}
