/** The current state of all machines. Rejoins those whose sources have changed, and reports what that changed. */
import type {
  CommonCause,
  CycleRequest,
  Machine,
  MachineOrder,
  Order,
  PowerCycle,
  RackView,
} from '@skolo/api';
import { isOld } from '@skolo/api/silence';
import { wallTime } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { PartDeps } from '../part-deps.ts';
import { sortAlerts } from './alerts.ts';
import { behindEquipment, commonCauses } from './causes.ts';
import { conditionOf, sharedSilenceSeconds } from './condition.ts';
import { Flapping } from './flapping.ts';
import { given, machineFrom } from './machine.ts';
import { rackViewFrom, stateOf } from './rack-view.ts';
import { leastSilent, sharedSilence, traitsOf } from './shared-silence.ts';
import type { AgentView, Services, Standing } from './sources.ts';

interface CurrentDeps extends Pick<PartDeps, 'rack' | 'clock' | 'emit'> {
  rackFile: { view(): RackView['rackFile'] };
  agents: { view(machine: string): AgentView };
  services: { views(): Services; states(): RackView['services'] };
  delivery: { active(machine: string): MachineOrder[] };
  reported: { unknown(machine: string, agent: AgentView): Order[] };
  incidents(): RackView['incidents'];
  /** Newest first. @param now milliseconds since 1970 */
  cycleRequests(cycles: Iterable<PowerCycle>, now: number): CycleRequest[];
}

interface Known {
  machine: Machine;
  /** Everything except readings, as text. */
  facts: string;
  readings: string;
}

/** Sources often change together. */
const gatherMs = 100;

export class Current {
  private readonly deps: CurrentDeps;
  private readonly known = new Map<string, Known>();
  private readonly standings = new Map<string, Standing>();
  private readonly flapping = new Flapping();
  private readonly dirty = new Set<string>();
  private isAllDirty = true;
  private behind: { rack: Rack; machines: Map<string, string[]> } | undefined;
  private causes: CommonCause[] = [];
  /** Machines from which `causes` was derived, with their last answers. */
  private silent = new Map<string, number>();
  private view: { rack: RackView; text: string } | undefined;
  private incidents = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: CurrentDeps) {
    this.deps = deps;
  }

  /** What the history knows; before anything else. */
  recall(standings: ReadonlyMap<string, Standing>): void {
    for (const [name, standing] of standings) this.standings.set(name, standing);
  }

  machine(name: string): Machine | undefined {
    this.refresh();
    return this.known.get(name)?.machine;
  }

  /** In the order of rack.yaml. */
  machines(): Machine[] {
    this.refresh();
    return [...this.deps.rack().machines.keys()].flatMap((name) => {
      const found = this.known.get(name);
      return found === undefined ? [] : [found.machine];
    });
  }

  rack(): RackView {
    this.refresh();
    return (this.view ?? this.currentRack()).rack;
  }

  /** A source of one machine, or without a name of all machines, has changed. */
  touch(machine?: string): void {
    if (machine === undefined) this.isAllDirty = true;
    else this.dirty.add(machine);
    this.timer ??= setTimeout(() => this.refresh(), gatherMs);
  }

  /** Time has passed: updates which machines are silent, and which no longer flap. */
  tick(): void {
    const rack = this.deps.rack();
    for (const [name, { machine }] of this.known) {
      const sources = this.sourcesOf(rack, name);
      const isSilent = sources.agent.silentSeconds >= sharedSilenceSeconds(sources.limits);
      const isOther =
        conditionOf(sources) !== machine.condition || isSilent !== this.silent.has(name);
      if (isOther || machine.flapping !== undefined) this.touch(name);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private refresh(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.isAllDirty && this.dirty.size === 0) return;
    const rack = this.deps.rack();
    const names = this.isAllDirty ? new Set(rack.machines.keys()) : new Set(this.dirty);
    const isAll = this.isAllDirty;
    this.isAllDirty = false;
    this.dirty.clear();
    const affected = this.findCauses(rack);
    for (const name of affected) names.add(name);
    const services = this.deps.services.views();
    const alerts = sortAlerts(rack, services.alerts).machines;
    for (const name of names) this.refreshMachine(rack, name, services, alerts.get(name) ?? []);
    for (const name of this.known.keys()) {
      if (rack.machines.has(name)) continue;
      this.known.delete(name);
      this.flapping.forget(name);
      this.deps.emit({ type: 'removed', name });
    }
    // Incidents follow from the events of their machines.
    const incidents = JSON.stringify(this.deps.incidents());
    if (isAll || affected.length > 0 || incidents !== this.incidents) this.refreshRack();
    this.incidents = incidents;
  }

  private refreshMachine(
    rack: Rack,
    name: string,
    services: Services,
    alerts: Machine['alerts'],
  ): void {
    const entry = rack.machines.get(name);
    if (entry === undefined) return;
    const now = this.deps.clock.now();
    const sources = { ...this.sourcesOf(rack, name), services, alerts };
    const moment = { uptime: this.deps.clock.uptime() * 1000, wall: now };
    const flapping = this.flapping.of(name, moment);
    const machine = machineFrom(entry, { ...sources, flapping }, now);
    this.flapping.note(sources.standing?.condition ?? 'never-reported', machine, moment);
    this.settle(machine, sources.agent);
    const before = this.known.get(name);
    const { facts, readings } = textsOf(machine);
    this.known.set(name, { machine, facts, readings });
    const isReadingsOnly = facts === before?.facts;
    if (isReadingsOnly && readings === before.readings) return;
    this.deps.emit({ type: 'machine', machine, before: before?.machine, isReadingsOnly });
  }

  private settle(machine: Machine, agent: AgentView): void {
    const { name, condition, since } = machine;
    const before = this.standings.get(name);
    if (before?.condition === condition || since === undefined) return;
    const seenAt = agent.seenAt ?? before?.seenAt;
    this.standings.set(name, { condition, since: Date.parse(since), ...given({ seenAt }) });
  }

  private sourcesOf(rack: Rack, name: string) {
    const standing = this.standings.get(name);
    const agent = this.deps.agents.view(name);
    return {
      agent,
      unknownOrders: this.deps.reported.unknown(name, agent),
      ...(standing && { standing }),
      orders: this.deps.delivery.active(name),
      cause: this.causes.find(({ machines }) => machines.includes(name)),
      limits: rack.services['machine-state'],
    };
  }

  /** Returns the machines whose cause has changed. */
  private findCauses(rack: Rack): string[] {
    if (this.behind?.rack !== rack) this.behind = { rack, machines: behindEquipment(rack) };
    const silenceSeconds = sharedSilenceSeconds(rack.services['machine-state']);
    const now = this.deps.clock.now();
    this.silent = new Map();
    for (const name of rack.machines.keys()) {
      const { silentSeconds, seenAt = this.standings.get(name)?.seenAt } =
        this.deps.agents.view(name);
      if (silentSeconds < silenceSeconds) continue;
      this.silent.set(name, seenAt ?? now - silentSeconds * 1000);
    }
    const { power, backups } = this.deps.services.views();
    const bootedAt = wallTime(this.deps.clock, 0);
    const movedMs = bootedAt - (power?.bootedAt ?? bootedAt);
    const before = this.causes;
    const ofEquipment = commonCauses({
      behind: this.behind.machines,
      silent: this.silent,
      silenceMs: silenceSeconds * 1000,
      hasReported: (name) => this.standings.has(name),
      stateOf(name) {
        const { answeredAt, ...known } = stateOf(power?.controllers.get(name), backups?.get(name));
        return {
          ...known,
          ...(answeredAt !== undefined && { answeredAt: Date.parse(answeredAt) + movedMs }),
        };
      },
    });
    this.causes = [...ofEquipment, ...this.sharedBy(rack, ofEquipment)];
    const keyOf = (causes: CommonCause[]) => JSON.stringify(causes);
    if (keyOf(before) === keyOf(this.causes)) return [];
    return [...before, ...this.causes].flatMap(({ machines }) => machines);
  }

  /** Of machines whose silence nothing explains yet. */
  private sharedBy(rack: Rack, known: readonly CommonCause[]): CommonCause[] {
    const { silent, standings, deps } = this;
    if (silent.size < leastSilent) return [];
    const explained = new Set(known.flatMap(({ machines }) => machines));
    const isOpen = (name: string) =>
      standings.has(name) &&
      !explained.has(name) &&
      // Somebody works on it, and turns it off.
      !deps.delivery.active(name).some(({ kind }) => kind === 'maintenance');
    const machines = [...rack.machines.values()].filter(({ name }) => isOpen(name));
    return sharedSilence(
      machines.map((machine) => ({
        name: machine.name,
        traits: traitsOf(machine, this.known.get(machine.name)?.machine),
        silentSince: silent.get(machine.name),
      })),
    );
  }

  private refreshRack(): void {
    const before = this.view?.text;
    this.view = this.currentRack();
    if (this.view.text !== before) this.deps.emit({ type: 'rack', rack: this.view.rack });
  }

  private currentRack() {
    const { services, rackFile, cycleRequests, clock } = this.deps;
    const views = services.views();
    const rack = rackViewFrom(this.deps.rack(), {
      rackFile: rackFile.view(),
      services: views,
      states: services.states(),
      causes: this.causes,
      incidents: this.deps.incidents(),
      alerts: sortAlerts(this.deps.rack(), views.alerts).others,
      cycleRequests: cycleRequests(views.cycles?.values() ?? [], clock.now()),
    });
    return { rack, text: JSON.stringify(rack) };
  }
}

/** Readings change with each answer; what people wait for does not. */
function textsOf(machine: Machine): { facts: string; readings: string } {
  const { host, lastSeen: _, devices, ...rest } = machine;
  const readings: unknown[] = [host];
  const others = devices.map((device) => {
    const { readAt: _, connectedSeconds: __, batteryPercent, batteryAt, ...more } = device;
    const { temperaturesCelsius, temperaturesAt, uptimeSeconds, ...kept } = more;
    readings.push(batteryPercent, temperaturesCelsius);
    const areOld = [batteryAt, temperaturesAt].map((at) => isOld(at, device));
    return { ...kept, uptimeSeconds: uptimeSeconds === undefined, areOld };
  });
  return { facts: JSON.stringify([rest, others]), readings: JSON.stringify(readings) };
}
