/**
 * Whether somebody lives behind this service: Prometheus and Alertmanager send the alert that always fires, or any other,
 * again and again. By the clock that does not jump.
 */
import type { Clock, Logger } from '@skolo/common';

/** What the heartbeat says. */
export interface Health {
  healthy: boolean;
  /** Why not, or what is not known yet, for people. */
  why?: string;
  /** The watchdog, or any alert; milliseconds since 1970. */
  lastHeard?: number;
}

export interface WatchdogDeps {
  settings(): { alert: string; withinSeconds: number };
  /** Why no alert is accepted now, for people. */
  refusing(): string | undefined;
  /** From the process before this one: when it last heard of an alert, and when it last lived. Milliseconds since 1970. */
  before?: { lastHeard?: number | undefined; lastAlive?: number | undefined };
  clock: Clock;
  log: Logger;
}

export class Watchdog {
  private readonly deps: WatchdogDeps;
  /** All moments are seconds of uptime. */
  private readonly startedAt: number;
  private heardAt: number | undefined;
  private lastAlert: string | undefined;
  /**
   * From when on silence counts. Time in which this service was down proves nothing; but one that is started again and
   * again, and hears of nobody between, must not look well for ever.
   */
  private countsFrom: number;
  private isSilent = false;
  private refusedSince: number | undefined;

  constructor(deps: WatchdogDeps) {
    const { clock, before: { lastHeard, lastAlive } = {} } = deps;
    this.deps = deps;
    this.startedAt = clock.uptime();
    this.countsFrom = this.startedAt;
    if (lastHeard === undefined) return;
    this.heardAt = this.uptimeOf(lastHeard);
    this.countsFrom -= Math.max(0, (lastAlive ?? lastHeard) - lastHeard) / 1000;
  }

  /** An alert that fires was accepted. */
  heard(labels: Record<string, string>, at: number = this.deps.clock.now()): void {
    const { alertname } = labels;
    this.heardAt = Math.max(this.uptimeOf(at), this.heardAt ?? Number.NEGATIVE_INFINITY);
    this.countsFrom = Math.max(this.countsFrom, this.heardAt);
    this.lastAlert = alertname;
    if (this.isSilent) this.status();
  }

  /** Looks now, and logs silence when it begins and ends. */
  status(): Health {
    const { settings, clock } = this.deps;
    const { heardAt, countsFrom } = this;
    const uptime = clock.uptime();
    const { withinSeconds } = settings();
    const isSilent = uptime - countsFrom > withinSeconds;
    if (isSilent !== this.isSilent) this.turn(isSilent);
    const refusal = this.refusal(uptime);
    const troubles = [refusal, isSilent ? this.silence() : undefined].filter((why) => why);
    const isFresh = heardAt !== undefined && uptime - heardAt <= withinSeconds;
    const why = troubles.join('; ') || (isFresh ? undefined : this.notYet());
    return {
      healthy: troubles.length === 0,
      ...(why !== undefined && { why }),
      ...(heardAt !== undefined && { lastHeard: this.wallOf(heardAt) }),
    };
  }

  private turn(isSilent: boolean) {
    const { log, clock } = this.deps;
    this.isSilent = isSilent;
    const last = this.lastAlert;
    if (!isSilent) return log.info({ alert: last }, 'Prometheus or Alertmanager is heard of again');
    const seconds = this.heardAt && Math.round(clock.uptime() - this.heardAt);
    log.error({ seconds, alert: last }, 'Prometheus or Alertmanager is silent');
  }

  private refusal(uptime: number): string | undefined {
    const why = this.deps.refusing();
    if (why === undefined) this.refusedSince = undefined;
    else this.refusedSince ??= uptime;
    if (this.refusedSince === undefined) return undefined;
    return `no alert is accepted since ${this.timeOf(this.refusedSince)}: ${why}`;
  }

  private silence(): string {
    const { alert } = this.deps.settings();
    const since = this.timeOf(this.heardAt ?? this.startedAt);
    const last = this.lastAlert === undefined ? 'an alert' : `the alert ${this.lastAlert}`;
    const heard = this.heardAt === undefined ? 'when this service started' : `when ${last} came`;
    return `Prometheus or Alertmanager is silent since ${since}, ${heard}: see that both run and send here, and that the alert ${alert} always fires and is repeated`;
  }

  private notYet(): string {
    const { alert } = this.deps.settings();
    return `not heard of yet: neither the alert ${alert} nor any other came since this service started at ${this.timeOf(this.startedAt)}`;
  }

  private uptimeOf(wall: number): number {
    const { clock } = this.deps;
    return clock.uptime() - Math.max(0, clock.now() - wall) / 1000;
  }

  /** By the wall clock of now. */
  private wallOf(uptime: number): number {
    const { clock } = this.deps;
    return Math.round(clock.now() - (clock.uptime() - uptime) * 1000);
  }

  private timeOf(uptime: number): string {
    return `${new Date(this.wallOf(uptime)).toISOString().slice(0, 19)}Z`;
  }
}
