/**
 * Records when this service and the others were up, as entries of the history: a span each, whose end moves while the service responds.
 * The gaps between them are downtime, including that of a service that was killed.
 */
import type { ServiceState } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { History } from './history.ts';

interface UptimesDeps {
  clock: Clock;
  history: Pick<History, 'add'>;
  states(): readonly Pick<ServiceState, 'name' | 'reachable' | 'version'>[];
}

/** A killed service seems to have been down for so much longer. */
export const beatSeconds = 60;

interface Up {
  at: number;
  version: string | undefined;
}

export class Uptimes {
  private readonly deps: UptimesDeps;
  private readonly up = new Map<string, Up>();
  private beatAt = Number.NEGATIVE_INFINITY;

  constructor(deps: UptimesDeps) {
    this.deps = deps;
  }

  /** Another version begins another span. */
  tick(): void {
    const { clock, states } = this.deps;
    const now = clock.now();
    const isBeat = clock.uptime() - this.beatAt >= beatSeconds;
    if (isBeat) this.beatAt = clock.uptime();
    for (const { name, reachable, version } of states()) {
      const before = this.up.get(name);
      if (before && !reachable) {
        this.write(name, before, now);
        this.up.delete(name);
      }
      if (!reachable) continue;
      const isOther = before?.version !== undefined && version && version !== before.version;
      if (before && isOther) this.write(name, before, now);
      const span =
        before && !isOther
          ? { ...before, version: version ?? before.version }
          : { at: now, version };
      this.up.set(name, span);
      if (isBeat || span.at === now) this.write(name, span, now);
    }
  }

  /** This service stops. */
  stop(): void {
    for (const [name, span] of this.up) this.write(name, span, this.deps.clock.now());
  }

  private write(key: string, { at, version: outcome }: Up, now: number): void {
    const endedAt = Math.max(at, now);
    this.deps.history.add({ machine: '', kind: 'service', key, at, endedAt, outcome });
  }
}
