/**
 * Dead-man switch of the uplink: a router that has been silent for long is cycled through its PDU, since nobody far away
 * can ask for that. Only natively: the daemon may be cut off meanwhile.
 */
import { type Clock, errorText, type Logger } from '@skolo/common';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import type { Controllers } from '../controllers.ts';
import { infrastructureProbe } from '../machines/infrastructure-probe.ts';
import { lookIcmp } from '../machines/probe.ts';
import type { Accepted, Request } from '../requests.ts';
import type { Store } from '../store.ts';

export interface UplinkWatchDeps {
  rack: () => Rack;
  store: Store;
  controllers: Controllers;
  take: (request: Request) => Promise<Accepted>;
  clock: Clock;
  log: Logger;
  onDecision: (outcome: string) => void;
  signal: AbortSignal;
}

const lookMs = 3000;

export class UplinkWatch {
  private readonly deps: UplinkWatchDeps;
  /** Seconds since boot. */
  private silentSince: number | undefined;
  private lastCycleAt: number | undefined;
  private said = '';

  constructor(deps: UplinkWatchDeps) {
    this.deps = deps;
  }

  async look(): Promise<void> {
    const { rack, clock } = this.deps;
    const { uplink, bootGraceMinutes } = rack().services['power-cycle-daemon'].repair;
    const router = [...rack().infrastructure.values()].find(
      (device) => device.uplink === 'internet',
    );
    if (!uplink.enabled || router === undefined || (await this.answers(router))) {
      this.silentSince = undefined;
      this.said = '';
      return;
    }
    const uptime = clock.uptime();
    this.silentSince ??= uptime;
    if (uptime - this.silentSince < uplink.silentMinutes * 60) return;
    if (uptime < bootGraceMinutes * 60) return this.say('boot', 'the rack has just booted');
    const wait = uplink.pauseMinutes * 60 - this.sinceLast();
    if (wait > 0) return this.say('pause', `cycled less than ${uplink.pauseMinutes} minutes ago`);
    const pdu = router.power[0]?.device;
    if (pdu === undefined || (this.deps.controllers.get(pdu)?.experimental ?? true)) {
      return this.say('experimental', 'no outlet of its own, or one whose driver is experimental');
    }
    await this.cycle(router);
  }

  private async answers(router: InfrastructureDevice): Promise<boolean> {
    const { signal } = this.deps;
    const look = await infrastructureProbe(router)?.(lookMs, signal);
    if (look?.up || router.address === undefined) return true;
    const ping = await lookIcmp(router.address, lookMs, signal);
    signal.throwIfAborted();
    return ping.up;
  }

  private async cycle({ name }: InfrastructureDevice): Promise<void> {
    const { take, clock, log, onDecision, rack } = this.deps;
    const { silentMinutes } = rack().services['power-cycle-daemon'].repair.uplink;
    log.error({ router: name, silentMinutes }, 'uplink dead');
    // Also an attempt that is refused is not repeated at once.
    this.lastCycleAt = clock.uptime();
    try {
      await take({
        targets: [name],
        ask: { action: 'cycle', mode: 'hard', force: true },
        reason: `silent for ${silentMinutes} minutes`,
        by: 'uplink dead-man',
        origin: 'uplink',
        skipRefused: false,
      });
      onDecision('uplink');
    } catch (error) {
      this.say('refused', errorText(error));
    }
  }

  /** Also over a restart: the journal knows the cycles. A wall time in the future counts as just now. */
  private sinceLast(): number {
    const { store, clock } = this.deps;
    const journaled = [...store.cycles.all.values()]
      .filter(({ origin }) => origin === 'uplink')
      .map(({ requestedAt }) => Math.max(0, clock.now() - Date.parse(requestedAt)) / 1000);
    const own = this.lastCycleAt === undefined ? [] : [clock.uptime() - this.lastCycleAt];
    return Math.min(Number.POSITIVE_INFINITY, ...journaled, ...own);
  }

  private say(brake: string, why: string): void {
    if (this.said === why) return;
    this.said = why;
    this.deps.onDecision(brake);
    this.deps.log.warn({ why }, 'uplink not repaired');
  }
}
