/**
 * Decides when the router is power-cycled because the internet connection is down: after a long silence, since no remote operator can
 * request it. Only as the device's own cycle, because the daemon may be cut off meanwhile.
 */

import type { AcceptedRequests } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { Equipment } from '@skolo/rack';
import type { Controllers } from '../equipment/controllers.ts';
import type { RepairOutcome } from '../events.ts';
import { type Reach, reach } from '../machines/probe.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Request } from '../request/requests.ts';
import { uptimeAt } from '../rules/uptime-at.ts';
import { whyExcluded } from './repair-policy.ts';

export interface InternetWatchDeps
  extends Pick<PartDeps, 'rack' | 'store' | 'clock' | 'log' | 'emit' | 'signal'> {
  controllers: Pick<Controllers, 'get'>;
  accept: (request: Request) => Promise<AcceptedRequests>;
  /** How the internet connection's router is probed. */
  reach?: Reach | undefined;
}

const lookMs = 3000;

export class InternetWatch {
  private readonly deps: InternetWatchDeps;
  /** Seconds since boot. */
  private silentSince: number | undefined;
  private lastCycleAt = Number.NEGATIVE_INFINITY;
  /** Cycles in the journal whose time is known. */
  private readonly noted = new Set<string>();
  private reported = '';

  constructor(deps: InternetWatchDeps) {
    this.deps = deps;
  }

  async repairIfDown(): Promise<void> {
    const { rack, clock, signal } = this.deps;
    const { internet, bootGraceMinutes } = rack().services['power-cycle-daemon'].repair;
    this.noteJournaled();
    const router = [...rack().equipment.values()].find(
      (equipment) => equipment.uplink === 'internet',
    );
    const isThere =
      !internet.enabled ||
      router === undefined ||
      (await (this.deps.reach ?? reach)(router, lookMs, signal));
    if (isThere) {
      this.silentSince = undefined;
      this.reported = '';
      return;
    }
    const uptime = clock.uptime();
    this.silentSince ??= uptime;
    const silentSeconds = internet.silentMinutes * 60;
    if (clock.presence.ageOf(this.silentSince, silentSeconds) < silentSeconds) return;
    if (uptime < bootGraceMinutes * 60) return this.report('boot', 'the rack has just booted');
    if (uptime - this.lastCycleAt < internet.pauseMinutes * 60) return;
    const obstacle = this.obstacle(router);
    if (obstacle !== undefined) return this.report(...obstacle);
    await this.cycle(router);
  }

  /** Why its outlet must not be touched. */
  private obstacle({ name, power }: Equipment): [brake: RepairOutcome, why: string] | undefined {
    const [feed, ...others] = power;
    const controller = feed && this.deps.controllers.get(feed.device);
    if (controller === undefined || others.length > 0) {
      return ['no-outlet', `rack.yaml does not specify exactly one outlet for ${name}`];
    }
    if (!controller.automaticRepair) return ['driver-excluded', whyExcluded(controller.name)];
    if (controller.cyclesNatively(undefined)) return undefined;
    return ['not-native', `${controller.name} cannot cycle an outlet itself`];
  }

  private async cycle({ name }: Equipment): Promise<void> {
    const { accept, store, clock, log, emit, rack } = this.deps;
    const { silentMinutes } = rack().services['power-cycle-daemon'].repair.internet;
    log.error({ router: name, silentMinutes }, 'internet connection down');
    // Even a rejected attempt is not repeated immediately.
    this.lastCycleAt = clock.uptime();
    try {
      const accepted = await accept({
        targets: [name],
        ask: { action: 'cycle', mode: 'hard', force: true, nativeOnly: true },
        reason: `silent for ${silentMinutes} minutes`,
        by: 'internet dead-man',
        origin: 'internet',
        skipRejected: false,
      });
      emit({ type: 'repair', outcome: store.isOnlyNoted(accepted) ? 'would-have' : 'internet' });
    } catch (error) {
      this.report('rejected', errorText(error));
    }
  }

  /**
   * Each is converted to seconds since boot once, so that setting the clock back (on a jumphost without a battery, and without an internet
   * connection to ask) causes a pause and not the end of all repair.
   */
  private noteJournaled(): void {
    const { store, clock } = this.deps;
    for (const { id, origin, requestedAt } of store.cycles.all.values()) {
      if (origin !== 'internet' || this.noted.has(id)) continue;
      this.noted.add(id);
      this.lastCycleAt = Math.max(this.lastCycleAt, uptimeAt(clock, requestedAt));
    }
  }

  private report(outcome: RepairOutcome, why: string): void {
    if (this.reported === why) return;
    this.reported = why;
    this.deps.emit({ type: 'repair', outcome, why });
  }
}
