/**
 * Whether somebody lives behind this service: Prometheus and Alertmanager send the alert that always fires, or any other,
 * again and again. Each receiver is watched by itself: Prometheus, which reports a dead Alertmanager at its own receiver,
 * must not make that Alertmanager look alive.
 */
import type { Door } from '@skolo/alerts';
import type { Receiver, ReceiverStatus } from '@skolo/api';
import type { Clock, Logger } from '@skolo/common';
import { type Before, Silence, timeText } from './silence.ts';

/** What the heartbeat says. */
export interface Health {
  healthy: boolean;
  /** Why not, or what is not known yet, for people. */
  why?: string;
  /** The watchdog, or any alert; milliseconds since 1970. */
  lastHeard?: number;
}

export interface WatchdogDeps {
  settings(): { alert: string; withinSeconds: number; receivers?: Receiver[] | undefined };
  /** Why no alert is accepted now, for people. */
  refusing(): string | undefined;
  before?: Before & {
    /** When the receivers that had received the watchdog last received something. */
    receivers?: Partial<Record<Receiver, number | undefined>>;
  };
  clock: Clock;
  log: Logger;
}

/** Who sends where. */
export const receivers: Readonly<Record<Receiver, { sender: string; path: string }>> = {
  prometheus: { sender: 'Prometheus', path: '/api/v2/alerts' },
  alertmanager: { sender: 'Alertmanager', path: '/webhook' },
};
const names = ['prometheus', 'alertmanager'] as const;

export function receiverOf(door: Door): Receiver {
  return door === 'webhook' ? 'alertmanager' : 'prometheus';
}

interface Watched {
  silence: Silence;
  /** The watchdog came this way: from then on, it has to. */
  isLearned: boolean;
  wasSilent: boolean;
}

export class Watchdog {
  private readonly deps: WatchdogDeps;
  /** Of all receivers together. */
  private readonly all: Silence;
  private readonly watched: Record<Receiver, Watched>;
  private lastAlert: string | undefined;
  private isSilent = false;
  private refusedSince: number | undefined;

  constructor(deps: WatchdogDeps) {
    const { clock, before: { receivers: former = {}, ...before } = {} } = deps;
    const watch = (receiver: Receiver): Watched => {
      const lastHeard = former[receiver];
      const silence = new Silence(clock, { lastHeard, lastAlive: before.lastAlive });
      return { silence, isLearned: lastHeard !== undefined, wasSilent: false };
    };
    this.deps = deps;
    this.all = new Silence(clock, before);
    this.watched = { prometheus: watch('prometheus'), alertmanager: watch('alertmanager') };
  }

  /**
   * An alert that fires was accepted, and it is not a test.
   *
   * @returns whether this receiver is expected to receive the watchdog from now on
   */
  heard(
    alertname: string | undefined,
    receiver: Receiver,
    at: number = this.deps.clock.now(),
  ): boolean {
    const watched = this.watched[receiver];
    this.all.heard(at);
    watched.silence.heard(at);
    watched.isLearned ||= alertname === this.deps.settings().alert;
    this.lastAlert = alertname;
    if (this.isSilent || watched.wasSilent) this.status();
    return watched.isLearned;
  }

  /** Looks now, and logs silence when it begins and ends. */
  status(): Health {
    const { all } = this;
    const { withinSeconds } = this.deps.settings();
    const isSilent = all.isLongerThan(withinSeconds);
    if (isSilent !== this.isSilent) this.turn(isSilent);
    const silent = names.filter((name) => this.look(name));
    const silences = isSilent ? [this.silence()] : silent.map((name) => this.silenceOf(name));
    const troubles = [this.refusal(), ...silences].filter((why) => why !== undefined);
    const isFresh = all.isHeardWithin(withinSeconds);
    const why = troubles.join('; ') || (isFresh ? undefined : this.notYet());
    const { lastHeard } = all;
    return {
      healthy: troubles.length === 0,
      ...(why !== undefined && { why }),
      ...(lastHeard !== undefined && { lastHeard }),
    };
  }

  /** Those that are expected to receive something, and those that have. */
  receivers(): ReceiverStatus[] {
    return names.flatMap((name) => {
      const { lastHeard } = this.watched[name].silence;
      const isExpected = this.isExpected(name);
      if (lastHeard === undefined && !isExpected) return [];
      return [
        {
          name,
          isExpected,
          isSilent: this.isSilentNow(name),
          ...(lastHeard !== undefined && { lastHeard: new Date(lastHeard).toISOString() }),
        },
      ];
    });
  }

  private isExpected(name: Receiver): boolean {
    return this.deps.settings().receivers?.includes(name) ?? this.watched[name].isLearned;
  }

  private isSilentNow(name: Receiver): boolean {
    const { withinSeconds } = this.deps.settings();
    return this.isExpected(name) && this.watched[name].silence.isLongerThan(withinSeconds);
  }

  /** Whether it is silent now; logs it once. */
  private look(name: Receiver): boolean {
    const watched = this.watched[name];
    const isSilent = this.isSilentNow(name);
    // The log has it already that nobody sends anything.
    if (this.isSilent) return isSilent;
    if (isSilent !== watched.wasSilent) {
      const { log } = this.deps;
      if (isSilent) log.error({ receiver: name }, 'a receiver is silent');
      else log.info({ receiver: name }, 'a receiver is no longer silent');
    }
    watched.wasSilent = isSilent;
    return isSilent;
  }

  private turn(isSilent: boolean) {
    const { log, clock } = this.deps;
    this.isSilent = isSilent;
    const last = this.lastAlert;
    if (!isSilent) return log.info({ alert: last }, 'Prometheus or Alertmanager is heard of again');
    const { heardAt } = this.all;
    const seconds = heardAt && Math.round(clock.uptime() - heardAt);
    log.error({ seconds, alert: last }, 'Prometheus or Alertmanager is silent');
  }

  private refusal(): string | undefined {
    const { refusing, clock } = this.deps;
    const why = refusing();
    if (why === undefined) this.refusedSince = undefined;
    else this.refusedSince ??= clock.uptime();
    if (this.refusedSince === undefined) return undefined;
    return `no alert is accepted since ${timeText(clock, this.refusedSince)}: ${why}`;
  }

  private silence(): string {
    const { alert } = this.deps.settings();
    const last = this.lastAlert === undefined ? 'an alert' : `the alert ${this.lastAlert}`;
    const heard =
      this.all.heardAt === undefined ? 'when this service started' : `when ${last} came`;
    return `Prometheus or Alertmanager is silent since ${this.all.since}, ${heard}: see that both run and send here, and that the alert ${alert} always fires and is repeated`;
  }

  private silenceOf(name: Receiver): string {
    const { sender, path } = receivers[name];
    const { alert } = this.deps.settings();
    return `${sender} has sent nothing to ${path} since ${this.watched[name].silence.since}: check that it runs and sends ${alert} here; if it was removed, leave ${name} out of watchdog.receivers in rack.yaml`;
  }

  private notYet(): string {
    const { alert } = this.deps.settings();
    return `not heard of yet: neither the alert ${alert} nor any other came since this service started at ${timeText(this.deps.clock, this.all.startedAt)}`;
  }
}
