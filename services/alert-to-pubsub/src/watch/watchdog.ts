/**
 * Decides when Prometheus or Alertmanager counts as silent: both repeatedly send the alert that always fires, or any other. Each
 * receiver is watched separately, because Prometheus also reports a dead Alertmanager.
 */
import type { Endpoint } from '@skolo/alerts';
import type { Receiver, ReceiverStatus } from '@skolo/api';
import { type Clock, type Degraded, wallTime } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { EmitAlertEvent } from '../events.ts';
import type { Received } from '../receive/batch.ts';
import {
  lastHeartbeat,
  lastReceived,
  lastReceivedAt,
  type SuccessTimes,
} from '../state/success-times.ts';
import { type Before, Silence, timeText } from './silence.ts';

/** As the heartbeat reports it. */
export interface Health {
  healthy: boolean;
  /** Why not, or what is still unknown, for people. */
  why?: string | undefined;
  /** The watchdog, or any alert; milliseconds since 1970. */
  lastHeard?: number | undefined;
}

export interface WatchdogDeps {
  settings(): Pick<AlertToPubsubSettings, 'watchdog'>;
  /** Why no alert is accepted now, for people. */
  capacity: { readonly rejecting: string | undefined };
  /** From the previous process. */
  before?: Before & {
    /** When the receivers that had received the watchdog last received something. */
    receivers?: Partial<Record<Receiver, number | undefined>>;
  };
  times: Pick<SuccessTimes, 'mark'>;
  clock: Clock;
  emit: EmitAlertEvent;
}

/** What the previous process left. */
export function timesBefore(
  times: Pick<SuccessTimes, 'get'>,
  sinks: readonly { name: string }[],
): NonNullable<WatchdogDeps['before']> {
  const heartbeats = sinks.flatMap(({ name }) => times.get(lastHeartbeat(name)) ?? []);
  return {
    lastHeard: times.get(lastReceived),
    lastAlive: heartbeats.length === 0 ? undefined : Math.max(...heartbeats),
    receivers: {
      prometheus: times.get(lastReceivedAt('prometheus')),
      alertmanager: times.get(lastReceivedAt('alertmanager')),
    },
  };
}

const senders: Readonly<Record<Receiver, { sender: string; path: string }>> = {
  prometheus: { sender: 'Prometheus', path: '/api/v2/alerts' },
  alertmanager: { sender: 'Alertmanager', path: '/webhook' },
};
const names = ['prometheus', 'alertmanager'] as const;

function receiverOf(endpoint: Endpoint): Receiver {
  return endpoint === 'webhook' ? 'alertmanager' : 'prometheus';
}

interface Watched {
  silence: Silence;
  /** It has received the watchdog, and is expected to receive it from then on. */
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
  private rejectedSince: number | undefined;

  constructor(deps: WatchdogDeps) {
    const { clock, before: { receivers: previous = {}, ...before } = {} } = deps;
    const watch = (receiver: Receiver): Watched => {
      const lastHeard = previous[receiver];
      const silence = new Silence(clock, { lastHeard, lastAlive: before.lastAlive });
      return { silence, isLearned: lastHeard !== undefined, wasSilent: false };
    };
    this.deps = deps;
    this.all = new Silence(clock, before);
    this.watched = { prometheus: watch('prometheus'), alertmanager: watch('alertmanager') };
  }

  /** A receiver has accepted alerts. */
  noteReceived({ endpoint, names, isReal }: Received): void {
    const { times, clock } = this.deps;
    const receiver = receiverOf(endpoint);
    const now = clock.now();
    for (const name of names) this.received(name, receiver, now);
    if (isReal) times.mark(lastReceived);
    if (names.size > 0 && this.watched[receiver].isLearned) times.mark(lastReceivedAt(receiver));
  }

  /** A firing alert was accepted that is not a test. */
  received(
    alertname: string | undefined,
    receiver: Receiver,
    at: number = this.deps.clock.now(),
  ): void {
    const watched = this.watched[receiver];
    this.all.received(at);
    watched.silence.received(at);
    watched.isLearned ||= alertname === this.deps.settings().watchdog.alert;
    this.lastAlert = alertname;
    if (this.isSilent || watched.wasSilent) this.status();
  }

  /** Checks now, and reports when silence begins and ends. */
  status(): Health {
    const { all } = this;
    const { withinSeconds } = this.deps.settings().watchdog;
    const isSilent = all.isLongerThan(withinSeconds);
    if (isSilent !== this.isSilent) this.turn(isSilent);
    const silent = names.filter((name) => this.check(name));
    const silences = isSilent ? [this.silence()] : silent.map((name) => this.silenceOf(name));
    const troubles = [this.rejection(), ...silences].filter((why) => why !== undefined);
    const isFresh = all.isReceivedWithin(withinSeconds);
    const why = troubles.join('; ') || (isFresh ? undefined : this.notYet());
    return { healthy: troubles.length === 0, why, lastHeard: all.lastHeard };
  }

  /** Each receiver that is silent, or all of them together. */
  degraded(): Degraded[] {
    this.status();
    const of = (what: string, why: string, { receivedAt, startedAt }: Silence): Degraded => {
      const since = new Date(wallTime(this.deps.clock, receivedAt ?? startedAt));
      return { what, why, since };
    };
    if (this.isSilent) return [of('alert receivers', this.silence(), this.all)];
    return names
      .filter((name) => this.isSilentNow(name))
      .map((name) =>
        of(`alert receiver ${name}`, this.silenceOf(name), this.watched[name].silence),
      );
  }

  /** Those that are expected to receive something, and those that have. */
  receivers(): ReceiverStatus[] {
    return names.flatMap((name) => {
      const { lastHeard } = this.watched[name].silence;
      const isExpected = this.isExpected(name);
      if (lastHeard === undefined && !isExpected) return [];
      const time = lastHeard === undefined ? undefined : new Date(lastHeard).toISOString();
      return [{ name, isExpected, isSilent: this.isSilentNow(name), lastHeard: time }];
    });
  }

  private isExpected(name: Receiver): boolean {
    return this.deps.settings().watchdog.receivers?.includes(name) ?? this.watched[name].isLearned;
  }

  private isSilentNow(name: Receiver): boolean {
    const { withinSeconds } = this.deps.settings().watchdog;
    return this.isExpected(name) && this.watched[name].silence.isLongerThan(withinSeconds);
  }

  /** Whether it is silent now; reports it once. */
  private check(name: Receiver): boolean {
    const watched = this.watched[name];
    const isSilent = this.isSilentNow(name);
    // All receivers are silent, which is reported already.
    if (this.isSilent) return isSilent;
    if (isSilent !== watched.wasSilent)
      this.deps.emit({
        type: isSilent ? 'receiver-silent' : 'receiver-no-longer-silent',
        receiver: name,
      });
    watched.wasSilent = isSilent;
    return isSilent;
  }

  private turn(isSilent: boolean) {
    const { emit, clock } = this.deps;
    this.isSilent = isSilent;
    const alert = this.lastAlert;
    if (!isSilent) return emit({ type: 'no-longer-silent', alert });
    const { receivedAt } = this.all;
    const seconds = receivedAt && Math.round(clock.uptime() - receivedAt);
    emit({ type: 'silent', seconds, alert });
  }

  private rejection(): string | undefined {
    const { capacity, clock } = this.deps;
    const why = capacity.rejecting;
    if (why === undefined) this.rejectedSince = undefined;
    else this.rejectedSince ??= clock.uptime();
    if (this.rejectedSince === undefined) return undefined;
    return `no alert has been accepted since ${timeText(clock, this.rejectedSince)}: ${why}`;
  }

  private silence(): string {
    const { alert } = this.deps.settings().watchdog;
    const last = this.lastAlert === undefined ? 'an alert' : `the alert ${this.lastAlert}`;
    const when =
      this.all.receivedAt === undefined ? 'when this service started' : `when ${last} arrived`;
    return `Prometheus or Alertmanager has been silent since ${this.all.since}, ${when}; check that both are running and sending to this service, and that the alert ${alert} always fires and is repeated`;
  }

  private silenceOf(name: Receiver): string {
    const { sender, path } = senders[name];
    const { alert } = this.deps.settings().watchdog;
    return `${sender} has not sent anything to ${path} since ${this.watched[name].silence.since}; check that it is running and sends ${alert} to this service; if it was removed on purpose, set watchdog.receivers in rack.yaml to a list without ${name}`;
  }

  private notYet(): string {
    const { alert } = this.deps.settings().watchdog;
    return `no alert, not even ${alert}, has been received since this service started at ${timeText(this.deps.clock, this.all.startedAt)}`;
  }
}
