/** Writes down what happens. A machine may be hostile, so each has a share of the history. */
import type { Machine, MachineAlert } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { EmitMachineState, MachineStateEvent } from '../events.ts';
import { given } from '../join/machine.ts';
import type { Services } from '../join/sources.ts';
import type { Entry } from './entry.ts';
import type { History } from './history.ts';
import { observed, observedAlerts, observedCycle } from './observed.ts';

export interface RecorderDeps {
  rack(): Rack;
  clock: Clock;
  history: History;
  services: { views(): Pick<Services, 'alerts'> };
  emit: EmitMachineState;
}

/** Three times those of a bot with a task each minute. */
const mostPerHour = 400;
const mostAgeMs = 366 * 86_400_000;

export class Recorder {
  private readonly deps: RecorderDeps;
  private readonly shares = new Map<string, { since: number; used: number }>();
  private readonly alerts = new Map<string, readonly MachineAlert[]>();

  constructor(deps: RecorderDeps) {
    this.deps = deps;
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
        this.shares.delete(event.name);
        this.alerts.delete(event.name);
        return;
      default:
    }
  }

  private note(before: Machine | undefined, after: Machine): void {
    const { clock, history, services } = this.deps;
    const now = clock.now();
    const { name, condition, since, lastSeen } = after;
    for (const entry of observed(before, after, now)) this.add(entry);
    // Without alert-to-pubsub no alert has ended.
    if (services.views().alerts !== undefined) {
      const known = this.alerts.get(name) ?? [];
      for (const entry of observedAlerts(name, known, after.alerts, now)) this.add(entry);
      this.alerts.set(name, after.alerts);
    }
    if (since !== undefined && (before?.condition !== condition || before.since !== since)) {
      const seenAt = lastSeen === undefined ? undefined : Date.parse(lastSeen);
      history.setStanding(name, { condition, since: Date.parse(since), ...given({ seenAt }) });
    }
    history.readings.note(after, now);
  }

  private add(entry: Entry): void {
    const { clock, history, emit } = this.deps;
    // An agent may give any time.
    if (!(Math.abs(entry.at - clock.now()) < mostAgeMs)) return;
    const share = this.shares.get(entry.machine);
    const uptime = clock.uptime();
    const isOver = share === undefined || uptime - share.since >= 3600;
    const own = isOver ? { since: uptime, used: 0 } : share;
    this.shares.set(entry.machine, own);
    own.used += 1;
    if (own.used > mostPerHour) emit({ type: 'dropped', machine: entry.machine });
    else history.add(entry);
  }
}
