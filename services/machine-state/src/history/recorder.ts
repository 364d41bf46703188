/** Records events, each machine's within its share of the history. */
import type { Machine, MachineAlert } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { MachineStateEvent } from '../events.ts';
import { given, timeOf } from '../join/machine.ts';
import type { Services, Standing } from '../join/sources.ts';
import type { Entry } from './entry.ts';
import type { History } from './history.ts';
import { observed, observedAlerts, observedCycle } from './observed.ts';
import { Shares } from './shares.ts';

interface RecorderDeps {
  rack(): Rack;
  clock: Clock;
  history: History;
  services: { views(): Pick<Services, 'alerts'> };
}

const mostAgeMs = 366 * 86_400_000;

export class Recorder {
  private readonly deps: RecorderDeps;
  private readonly shares = new Shares();
  private readonly alerts = new Map<string, readonly MachineAlert[]>();
  private readonly standings = new Map<string, Standing>();

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
        if (entry !== undefined) history.add(entry);
        return;
      }
      case 'removed':
        this.shares.forget(event.name);
        this.alerts.delete(event.name);
        this.standings.delete(event.name);
        return;
      default:
    }
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
    const { clock, history, services } = this.deps;
    const now = clock.now();
    const { name, condition, since, lastSeen } = after;
    const standing = this.standings.get(name);
    const isSame =
      standing !== undefined &&
      standing.condition === condition &&
      timeOf(standing.since) === since;
    for (const entry of observed(before, after, now, isSame)) this.add(entry);
    // Without alert-to-pubsub no alert has ended.
    if (services.views().alerts !== undefined) {
      const known = this.alerts.get(name) ?? [];
      for (const entry of observedAlerts(name, known, after.alerts, now)) this.add(entry);
      this.alerts.set(name, after.alerts);
    }
    if (since !== undefined && !isSame) {
      const seenAt = lastSeen === undefined ? undefined : Date.parse(lastSeen);
      const latest = { condition, since: Date.parse(since), ...given({ seenAt }) };
      this.standings.set(name, latest);
      history.setStanding(name, latest);
    }
    history.readings.note(after, now);
  }

  private add(entry: Entry): void {
    const { clock, history } = this.deps;
    // An agent may report any time.
    if (!(Math.abs(entry.at - clock.now()) < mostAgeMs)) return;
    if (this.shares.take(entry, clock.uptime())) history.add(entry);
  }
}
