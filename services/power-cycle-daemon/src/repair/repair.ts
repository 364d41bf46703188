/** Repair by itself: hears of missing machines, and asks for cycles by policy (decide.ts). Off unless rack.yaml says so. */
import { type Clock, errorText, type Logger } from '@skolo/common';
import type { Machine, Rack } from '@skolo/rack';
import type { Controllers } from '../controllers.ts';
import { infrastructureProbe } from '../machines/infrastructure-probe.ts';
import { probeOf } from '../machines/probe.ts';
import { pause } from '../pause.ts';
import type { RepairRecord } from '../records.ts';
import { type Accepted, type Request, RequestRefused } from '../requests.ts';
import type { Store } from '../store.ts';
import { decideRepair, heardWithinSeconds, type Missing } from './decide.ts';
import { UplinkWatch } from './uplink.ts';

export interface RepairDeps {
  rack: () => Rack;
  store: Store;
  controllers: Controllers;
  take: (request: Request) => Promise<Accepted>;
  clock: Clock;
  log: Logger;
  onDecision: (outcome: string) => void;
  signal: AbortSignal;
  /** How often it looks, in milliseconds. */
  everyMs?: number;
}

/** One alert of Alertmanager's webhook. */
export interface Alert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  /** RFC 3339. */
  startsAt: string;
}

const daySeconds = 86_400;
const lookMs = 3000;

export class Repair {
  private readonly deps: RepairDeps;
  private readonly missing = new Map<string, Missing>();
  /** Seconds since boot. */
  private readonly lastTries = new Map<string, number>();
  /** What was said last of each machine, so that it is logged once. */
  private readonly said = new Map<string, string>();
  private readonly uplink: UplinkWatch;
  private loop: Promise<void> = Promise.resolve();

  constructor(deps: RepairDeps) {
    this.deps = deps;
    this.uplink = new UplinkWatch(deps);
  }

  start(): void {
    this.loop = this.run();
  }

  async close(): Promise<void> {
    await this.loop;
  }

  /** Hears what Alertmanager says. Gives how many of the alerts are about machines of this rack. */
  async hear(alerts: readonly Alert[]): Promise<number> {
    const { rack, store, clock } = this.deps;
    const { alerts: names } = rack().services['power-cycle-daemon'].repair;
    let heard = 0;
    for (const { status, labels, startsAt } of alerts) {
      const machine = machineOf(rack(), labels);
      if (machine === undefined || !names.includes(labels.alertname ?? '')) continue;
      heard += 1;
      if (status === 'resolved') {
        this.missing.delete(machine.name);
        this.lastTries.delete(machine.name);
        this.said.delete(machine.name);
        if (store.repairs.get(machine.name)) await store.keep([store.repairs.remove(machine.name)]);
        continue;
      }
      const uptime = clock.uptime();
      const known = this.missing.get(machine.name);
      const since = known?.since ?? uptime - secondsSince(startsAt, clock.now());
      this.missing.set(machine.name, { machine: machine.name, since, heardAt: uptime });
    }
    return heard;
  }

  /** Looks once at all that is missing. */
  async look(): Promise<void> {
    const { rack, clock } = this.deps;
    await this.uplink.look();
    if (!rack().services['power-cycle-daemon'].repair.enabled) return;
    for (const [name, { heardAt }] of this.missing) {
      if (clock.uptime() - heardAt > heardWithinSeconds) this.missing.delete(name);
    }
    if (this.missing.size === 0) return;
    const silent = await this.silentDevices();
    for (const missing of [...this.missing.values()]) {
      const machine = rack().machines.get(missing.machine);
      if (machine !== undefined) await this.lookAt(machine, missing, silent);
    }
  }

  private async run(): Promise<void> {
    const { signal, log, everyMs = 30_000 } = this.deps;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, 'repair broke');
      });
      await pause(everyMs, signal).catch(() => undefined);
    }
  }

  private async lookAt(machine: Machine, missing: Missing, silent: ReadonlySet<string>) {
    const { rack, store, controllers, clock, log, onDecision } = this.deps;
    const { name } = machine;
    const decision = decideRepair(machine, missing, {
      rack: rack(),
      uptime: clock.uptime(),
      missing: [...this.missing.values()],
      record: store.repairs.get(name),
      lastTryAt: this.lastTryAt(name),
      isDown: (device) => silent.has(device) || controllers.get(device)?.state === 'down',
      isExperimental: (device) => controllers.get(device)?.experimental ?? true,
    });
    if (decision.is === 'cycle') {
      await this.cycle(machine);
      return;
    }
    if (decision.is === 'needs-hands') await this.giveUp(name, decision.why);
    if (this.said.get(name) === decision.why) return;
    this.said.set(name, decision.why);
    onDecision(decision.is === 'wait' ? decision.brake : 'needs-hands');
    if (decision.is === 'needs-hands')
      log.error({ machine: name, why: decision.why }, 'needs hands');
    else
      log[decision.quiet ? 'debug' : 'warn']({ machine: name, why: decision.why }, 'not repaired');
  }

  private async cycle(machine: Machine): Promise<void> {
    const { rack, store, take, clock, log, onDecision, signal } = this.deps;
    const { name } = machine;
    // An alert may be older than the truth.
    const look = await probeOf(rack(), machine)?.(lookMs, signal);
    signal.throwIfAborted();
    if (look?.up) {
      onDecision('answers');
      log.info({ machine: name, why: look.text }, 'not repaired');
      return;
    }
    const tries = (store.repairs.get(name)?.tries ?? 0) + 1;
    const record: RepairRecord = {
      target: name,
      tries,
      lastTryAt: new Date(clock.now()).toISOString(),
    };
    try {
      await take({
        targets: [name],
        ask: { action: 'cycle', mode: 'auto', force: false },
        reason: `missing; try ${tries}`,
        by: 'repair',
        origin: 'repair',
        skipRefused: false,
      });
    } catch (error) {
      onDecision(error instanceof RequestRefused ? 'refused' : 'failed');
      if (this.said.get(name) !== errorText(error)) {
        log.warn({ machine: name, why: errorText(error) }, 'not repaired');
      }
      this.said.set(name, errorText(error));
      return;
    }
    this.lastTries.set(name, clock.uptime());
    await store.keep([store.repairs.put(record)]);
    onDecision('asked');
    log.warn({ machine: name, tries }, 'repair');
  }

  private async giveUp(target: string, why: string): Promise<void> {
    const { store } = this.deps;
    const record = store.repairs.get(target);
    if (record?.needsHands !== undefined) return;
    await store.keep([store.repairs.put({ ...(record ?? { target, tries: 0 }), needsHands: why })]);
  }

  /** Of a try before this process only the wall time is known; one in the future counts as just now. */
  private lastTryAt(name: string): number | undefined {
    const { store, clock } = this.deps;
    const known = this.lastTries.get(name);
    const written = store.repairs.get(name)?.lastTryAt;
    if (known !== undefined || written === undefined) return known;
    const at = clock.uptime() - secondsSince(written, clock.now());
    this.lastTries.set(name, at);
    return at;
  }

  /** Devices of the rack that do not take connections where they are spoken to. */
  private async silentDevices(): Promise<Set<string>> {
    const { rack, signal } = this.deps;
    const looks = [...rack().infrastructure.values()].map(async (device) => {
      const look = await infrastructureProbe(device)?.(lookMs, signal);
      return look === undefined || look.up ? [] : [device.name];
    });
    const silent = (await Promise.all(looks)).flat();
    signal.throwIfAborted();
    return new Set(silent);
  }
}

/** The label `machine`, else the host of `instance`, by name or address. */
function machineOf(rack: Rack, labels: Record<string, string>): Machine | undefined {
  const { machine, instance } = labels;
  const written = machine ?? instance?.replace(/^\w+:\/\//, '').replace(/:\d+(\/.*)?$/, '');
  if (written === undefined) return undefined;
  const byName = rack.machines.get(written);
  return byName ?? [...rack.machines.values()].find(({ address }) => address === written);
}

function secondsSince(time: string, now: number): number {
  const seconds = (now - Date.parse(time)) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), daySeconds) : 0;
}
