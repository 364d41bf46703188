/** Automatic repair: receives alerts about missing machines, and requests cycles by the rules of repair-policy.ts. Off by default. */

import { errorText, pause } from '@skolo/base';
import { type Machine, whyNotActing } from '@skolo/rack';
import type { RepairOutcome } from '../events.ts';
import { equipmentProbe, isDown, probeOf, runs } from '../machines/probe.ts';
import { RequestRejected } from '../request/requests.ts';
import { busyOn, busyText } from '../rules/holds.ts';
import type { Snapshot } from '../rules/preconditions.ts';
import { findTarget } from '../rules/targets.ts';
import { uptimeAt } from '../rules/uptime-at.ts';
import type { RepairRecord } from '../state/records.ts';
import { type Alert, machineOf } from './alert.ts';
import { InternetWatch, type InternetWatchDeps } from './internet.ts';
import { countedSeconds, decideRepair, type Missing } from './repair-policy.ts';

export interface AutoRepairDeps extends InternetWatchDeps {
  snapshot: () => Snapshot;
  /** Time between checks, in milliseconds. */
  everyMs?: number | undefined;
}

const lookMs = 3000;

export class AutoRepair {
  private readonly deps: AutoRepairDeps;
  private readonly missing = new Map<string, Missing>();
  /** Seconds since boot. */
  private readonly lastTries = new Map<string, number>();
  /** The last report about each machine, so that each is logged once. */
  private readonly reported = new Map<string, string>();
  private readonly internet: InternetWatch;
  private loop: Promise<void> = Promise.resolve();

  constructor(deps: AutoRepairDeps) {
    this.deps = deps;
    this.internet = new InternetWatch(deps);
  }

  start(): void {
    this.loop = this.run();
  }

  async close(): Promise<void> {
    await this.loop;
  }

  /** Accepts alerts. Returns how many of them concern machines of this rack. */
  async receive(alerts: readonly Alert[]): Promise<number> {
    const { rack, clock } = this.deps;
    const { alerts: names } = rack().services['power-cycle-daemon'].repair;
    let received = 0;
    for (const { status, labels, startsAt } of alerts) {
      const name = machineOf(rack(), labels)?.name;
      if (name === undefined || !names.includes(labels.alertname ?? '')) continue;
      received += 1;
      if (status === 'resolved') {
        this.missing.delete(name);
        await this.forget(name);
        continue;
      }
      const uptime = clock.uptime();
      const known = this.missing.get(name);
      const since = known?.since ?? uptimeAt(clock, startsAt);
      const firstAlertAt = known?.firstAlertAt ?? uptime;
      this.missing.set(name, { machine: name, since, firstAlertAt, lastAlertAt: uptime });
    }
    return received;
  }

  /** Checks once everything that is missing. */
  async repairMissing(): Promise<void> {
    const { rack, clock } = this.deps;
    for (const [name, { lastAlertAt }] of this.missing) {
      if (clock.uptime() - lastAlertAt > countedSeconds) this.missing.delete(name);
    }
    await this.forgetWhatIsOver();
    if (!rack().services['power-cycle-daemon'].repair.enabled || this.missing.size === 0) return;
    const silent = await this.silentDevices();
    for (const missing of [...this.missing.values()]) {
      const machine = rack().machines.get(missing.machine);
      if (machine !== undefined) await this.repairIfNeeded(machine, missing, silent);
    }
  }

  private async run(): Promise<void> {
    const { signal, everyMs = 30_000 } = this.deps;
    while (!signal.aborted) {
      await this.unbroken(() => this.internet.repairIfDown());
      await this.unbroken(() => this.repairMissing());
      await pause(everyMs, signal).catch(() => undefined);
    }
  }

  private async unbroken(work: () => Promise<void>): Promise<void> {
    const { signal, log } = this.deps;
    await work().catch((error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, 'repair broke');
    });
  }

  private async repairIfNeeded(machine: Machine, missing: Missing, silent: ReadonlySet<string>) {
    const { rack, store, controllers, clock, log } = this.deps;
    const { name } = machine;
    if (store.repairs.get(name)?.notDone && whyNotActing(rack(), machine) === undefined) {
      await this.forget(name);
    }
    const decision = decideRepair(machine, missing, {
      rack: rack(),
      uptime: clock.uptime(),
      presence: clock.presence,
      missing: [...this.missing.values()],
      record: this.recordOf(name),
      lastTryAt: this.lastTryAt(name),
      isDown: (name) => silent.has(name) || controllers.get(name)?.state === 'down',
      busy: this.jobsOn(machine),
      mayUse: (name) => controllers.get(name)?.automaticRepair ?? false,
    });
    if (decision.is === 'cycle') return this.cycle(machine);
    const { why } = decision;
    if (decision.is === 'needs-attention') return this.giveUp(name, why);
    if (decision.quiet) log.debug({ machine: name, why }, 'not repaired');
    else this.report(name, decision.brake, why);
  }

  /** A cycle would only end as `busy`. */
  private jobsOn({ name }: Machine): string | undefined {
    const { rack, snapshot } = this.deps;
    const target = findTarget(rack(), name);
    const jobs = target && busyOn(target, { origin: 'repair', by: 'repair' }, snapshot());
    return jobs?.length ? busyText(jobs) : undefined;
  }

  private async cycle(machine: Machine): Promise<void> {
    const { rack, store, accept, clock, emit, signal } = this.deps;
    const { name } = machine;
    // An alert may be out of date.
    const look = await probeOf(rack(), machine)?.(lookMs, signal);
    signal.throwIfAborted();
    if (look && runs(look)) return this.report(name, 'answers', look.text);
    const tries = (this.recordOf(name)?.tries ?? 0) + 1;
    let outcome: RepairOutcome = 'asked';
    let id: string | undefined;
    try {
      const accepted = await accept({
        targets: [name],
        ask: { action: 'cycle', mode: 'auto', force: false },
        reason: `missing; try ${tries}`,
        by: 'repair',
        origin: 'repair',
        skipRejected: false,
      });
      // A cycle that others began is not one of our tries.
      if (accepted.cycles.every(({ joined }) => joined))
        return this.report(name, 'joined', 'already cycled');
      id = accepted.cycles[0]?.id;
      if (store.isOnlyNoted(accepted)) outcome = 'would-have';
    } catch (error) {
      const failure = error instanceof RequestRejected ? 'rejected' : 'failed';
      return this.report(name, failure, errorText(error));
    }
    this.lastTries.set(name, clock.uptime());
    const lastTryAt = new Date(clock.now()).toISOString();
    const notDone = outcome === 'would-have' && ({ notDone: true } as const);
    const record = { target: name, tries, lastTryAt, ...(id !== undefined && { cycle: id }) };
    await store.writeLater([store.repairs.put({ ...record, ...notDone })]);
    this.reported.delete(name);
    emit({ type: 'repair', outcome, machine: name, tries });
  }

  /** Without its last try if that did nothing, because the machine was in use or somebody cancelled it. */
  private recordOf(name: string): RepairRecord | undefined {
    const { store } = this.deps;
    const record = store.repairs.get(name);
    if (record?.cycle === undefined) return record;
    const { cycle, ...rest } = record;
    const outcome = store.cycles.get(cycle)?.outcome;
    const isTry = outcome !== 'busy' && outcome !== 'cancelled';
    return isTry ? record : { ...rest, tries: rest.tries - 1 };
  }

  /** Its tries start over. */
  private async forget(name: string): Promise<void> {
    const { store } = this.deps;
    this.lastTries.delete(name);
    this.reported.delete(name);
    if (store.repairs.get(name)) await store.writeLater([store.repairs.remove(name)]);
  }

  private async giveUp(target: string, why: string): Promise<void> {
    const { store, emit } = this.deps;
    const record = this.recordOf(target) ?? { target, tries: 0 };
    if (record.needsAttention !== undefined) return;
    await store.writeLater([store.repairs.put({ ...record, needsAttention: why })]);
    emit({ type: 'repair', outcome: 'needs-attention', machine: target, why });
  }

  private report(machine: string, outcome: RepairOutcome, why: string): void {
    if (this.reported.get(machine) === why) return;
    this.reported.set(machine, why);
    this.deps.emit({ type: 'repair', outcome, machine, why });
  }

  /** Stored, so that a later jump of the wall clock does not move it. */
  private lastTryAt(name: string): number | undefined {
    const { store, clock } = this.deps;
    const known = this.lastTries.get(name);
    const written = store.repairs.get(name)?.lastTryAt;
    if (known !== undefined || written === undefined) return known;
    const at = uptimeAt(clock, written);
    this.lastTries.set(name, at);
    return at;
  }

  /** Machines that left the rack, and those that are back without a resolved alert because it was silenced meanwhile. */
  private async forgetWhatIsOver(): Promise<void> {
    const { rack, store, signal } = this.deps;
    const quiet = [...store.repairs.all.keys()].filter((name) => !this.missing.has(name));
    const over = quiet.map(async (name) => {
      const machine = rack().machines.get(name);
      const look = machine && (await probeOf(rack(), machine)?.(lookMs, signal));
      return machine === undefined || look?.is === 'up' ? [store.repairs.remove(name)] : [];
    });
    const changes = (await Promise.all(over)).flat();
    signal.throwIfAborted();
    if (changes.length > 0) await store.writeLater(changes);
  }

  /** Devices of the rack that do not accept connections at their transport's port. */
  private async silentDevices(): Promise<Set<string>> {
    const { rack, signal } = this.deps;
    const looks = [...rack().equipment.values()].map(async (equipment) => {
      const look = await equipmentProbe(equipment)?.(lookMs, signal);
      return look && isDown(look) ? [equipment.name] : [];
    });
    const silent = (await Promise.all(looks)).flat();
    signal.throwIfAborted();
    return new Set(silent);
  }
}
