/** Records events in the history, each machine's within its share. */
import type { Machine, MachineAlert, PowerCycle } from '@skolo/api';
import { isoTime } from '@skolo/base';
import type { MachineStateEvent } from '../events.ts';
import { given } from '../join/machine.ts';
import type { Services, Standing } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Entry } from './entry.ts';
import type { History } from './history.ts';
import { observed, observedAlerts, observedCycle } from './observed.ts';
import { Shares } from './shares.ts';

interface RecorderDeps extends Pick<PartDeps, 'rack' | 'clock'> {
  history: History;
  services: { views(): Pick<Services, 'alerts'> };
  incidents: { noteLost(machine: string, task: string, since: number): void };
}

/** An agent may report any. */
const taskOutcomes: ReadonlySet<string> = new Set([
  'succeeded',
  'failed',
  'internal-failure',
  'bot-exit',
  'ended',
  'lost',
]);
const mostAgeMs = 366 * 86_400_000;

export class Recorder {
  private readonly deps: RecorderDeps;
  private readonly shares = new Shares();
  private readonly alerts = new Map<string, readonly MachineAlert[]>();
  private readonly standings = new Map<string, Standing>();
  /** By machine, as the power-cycle daemon last reported it: while that is silent, jobs and holds continue. */
  private readonly power = new Map<string, Machine['power']>();
  /** By machine, the last one. */
  private readonly cycles = new Map<string, PowerCycle>();
  /** Tasks that have ended since the start, by outcome. */
  readonly endedTasks = new Map(
    [...taskOutcomes, 'infrastructure', 'other'].map((each) => [each, 0]),
  );

  constructor(deps: RecorderDeps) {
    this.deps = deps;
  }

  /** What the history knows; before anything else. */
  recall(standings: ReadonlyMap<string, Standing>): void {
    for (const [name, standing] of standings) this.standings.set(name, standing);
  }

  consume(event: MachineStateEvent): void {
    const { rack, history } = this.deps;
    switch (event.type) {
      case 'machine':
        this.note(event.before, event.machine);
        return;
      case 'cycle': {
        const entry = observedCycle(rack(), event.cycle);
        if (entry === undefined) return;
        history.add(entry);
        if (entry.kind === 'cycle') this.noteCycle(entry.machine, event.cycle);
        return;
      }
      case 'rack':
        this.noteAlerts('', event.rack.alerts);
        return;
      case 'removed':
        this.shares.forget(event.name);
        this.alerts.delete(event.name);
        this.standings.delete(event.name);
        this.power.delete(event.name);
        this.cycles.delete(event.name);
        return;
      default:
    }
  }

  /** rack.yaml was loaded again. */
  noteRackFile(changes: readonly string[]): void {
    const { clock, history } = this.deps;
    if (changes.length === 0) return;
    const data = JSON.stringify({ changes });
    history.add({ machine: '', kind: 'rack-file', at: clock.now(), data });
  }

  /** Writes what exceeds machines' limits, once a minute. */
  tick(): void {
    this.writePending();
  }

  /** Somebody is reading a machine's history. */
  catchUp(machine: string): void {
    this.writePending(machine);
  }

  /** Number of omitted entries of this hour, by machine. */
  omitted(): ReadonlyMap<string, number> {
    return this.shares.omitted();
  }

  private writePending(machine?: string): void {
    const { clock, history } = this.deps;
    const at = { now: clock.now(), uptime: clock.uptime() };
    for (const entry of this.shares.pending(at, machine)) history.add(entry);
  }

  private note(before: Machine | undefined, after: Machine): void {
    const { clock, history, incidents } = this.deps;
    const now = clock.now();
    const { name, condition, since, lastSeen } = after;
    const standing = this.standings.get(name);
    const isSame =
      standing !== undefined &&
      standing.condition === condition &&
      isoTime(standing.since) === since;
    const last = before && { ...before, power: before.power ?? this.power.get(name) };
    if (after.power) this.power.set(name, after.power);
    for (const entry of observed(last, after, now, isSame, this.cycles.get(name))) {
      this.add(entry);
      if (entry.kind === 'task' && entry.endedAt !== undefined) this.countTask(entry);
      const isLost = entry.endedAt !== undefined && (entry.data ?? entry.outcome === 'lost');
      if (entry.kind === 'task' && isLost) incidents.noteLost(name, entry.key ?? '', entry.at);
    }
    this.noteAlerts(name, after.alerts);
    if (since !== undefined && !isSame) {
      const seenAt = lastSeen === undefined ? undefined : Date.parse(lastSeen);
      const latest = { condition, since: Date.parse(since), ...given({ seenAt }) };
      this.standings.set(name, latest);
      history.setStanding(name, latest);
    }
    history.readings.note(after, now);
  }

  /** @param machine empty: those of no machine */
  private noteAlerts(machine: string, alerts: readonly MachineAlert[]): void {
    const { clock, services } = this.deps;
    // Without alert-to-pubsub no alert has ended.
    if (services.views().alerts === undefined) return;
    const known = this.alerts.get(machine) ?? [];
    for (const entry of observedAlerts(machine, known, alerts, clock.now())) this.add(entry);
    this.alerts.set(machine, alerts);
  }

  /** Cycles also arrive again, in any order. */
  private noteCycle(machine: string, cycle: PowerCycle): void {
    const { startedAt = '' } = this.cycles.get(machine) ?? {};
    if (cycle.startedAt !== undefined && cycle.startedAt >= startedAt) {
      this.cycles.set(machine, cycle);
    }
  }

  private countTask({ data, outcome = 'ended' }: Entry): void {
    const counted =
      data !== undefined ? 'infrastructure' : taskOutcomes.has(outcome) ? outcome : 'other';
    this.endedTasks.set(counted, (this.endedTasks.get(counted) ?? 0) + 1);
  }

  private add(entry: Entry): void {
    const { clock, history } = this.deps;
    // An agent may report any time.
    if (!(Math.abs(entry.at - clock.now()) < mostAgeMs)) return;
    if (this.shares.admit(entry, clock.uptime())) history.add(entry);
  }
}
