/** Ends the holds of those who are on an incident that is over. Without an own token that may do that, they end after four hours. */
import { powerCycleDaemonApi } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { History } from '../history/history.ts';
import type { Silence } from '../history/silence.ts';
import type { Services } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Incidents } from './incidents.ts';

interface OnItDeps extends Pick<PartDeps, 'clock'> {
  log: { warn(facts: object, message: string): unknown };
  services: { views(): Pick<Services, 'power'> };
  incidents: Pick<Incidents, 'known'>;
  history: Pick<History, 'knownSilences'>;
  /** Asks the power-cycle daemon. */
  end(incident: string): Promise<unknown>;
}

export const endOnItApi = { endOnIt: powerCycleDaemonApi.endOnIt };

/** Between two attempts. */
const everySeconds = 60;

export class OnIt {
  private readonly deps: OnItDeps;
  private triedAt = Number.NEGATIVE_INFINITY;
  private why = '';

  constructor(deps: OnItDeps) {
    this.deps = deps;
  }

  async tick(): Promise<void> {
    const { clock, services, log } = this.deps;
    if (clock.uptime() - this.triedAt < everySeconds) return;
    const holds = [...(services.views().power?.machines.values() ?? [])].flatMap(
      ({ onIt = [] }) => onIt,
    );
    const named = new Set(holds.flatMap(({ incident }) => incident ?? []));
    if (named.size === 0) return;
    this.triedAt = clock.uptime();
    try {
      for (const incident of await this.over(named)) await this.deps.end(incident);
      this.why = '';
    } catch (error) {
      const why = errorText(error);
      // Once for each reason.
      if (why !== this.why) log.warn({ why }, 'holds of incidents that are over continue');
      this.why = why;
    }
  }

  /** What nothing is known about is not over. */
  private async over(named: ReadonlySet<string>): Promise<string[]> {
    const { incidents, history } = this.deps;
    const current = namesOf(incidents.known());
    const candidates = [...named].filter((name) => !current.has(name));
    if (candidates.length === 0) return [];
    // An incident has the ID of one of its silences.
    return await history.knownSilences(candidates);
  }
}

/** IDs of incidents, including those that were merged into others. */
function namesOf(silences: readonly Silence[]): Set<string> {
  return new Set(silences.flatMap(({ id, incident }) => [id, incident]));
}
