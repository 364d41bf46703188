/**
 * Decides whether an alert that Alertmanager does not list is over. Alertmanager keeps alerts in memory only, and drops those that are not
 * repeated. So a list without an alert proves nothing while Prometheus is down, or does not reach this Alertmanager.
 *
 * An end counts from 15 minutes after a process of Alertmanager first listed an alert that it has received since its start. By then,
 * Prometheus has sent all alerts again: it restores how long an alert has been pending, or begins again if its rule has a `for` of at most
 * 10 minutes (`--rules.alert.for-grace-period`, https://prometheus.io/docs/prometheus/latest/command-line/prometheus/). If the alert that
 * always fires is missing, the 15 minutes begin again.
 */
import { count, parseJson } from '@skolo/base';
import { type Clock, isAlertmanagerAt } from '@skolo/common';
import { z } from 'zod';
import type { KnownAlert } from '../state/known-alerts.ts';
import { timeText } from './silence.ts';

/** One response. Times are in seconds of uptime. */
export interface Look {
  url: string;
  /** When the process that responded was started, by its own clock. */
  start: string;
  began: number;
  ended: number;
  /** Fingerprints. */
  listed: ReadonlySet<string>;
  /** When the process last received one of these alerts, in milliseconds by its own clock. */
  updatedAt: number;
  /** It lists the alert that always fires. */
  hasWatchdog: boolean;
}

const State = z.object({
  url: z.string(),
  /** Known alerts that were listed, by fingerprint, with the `externalURL` of the webhook that came before. */
  listed: z.record(z.string(), z.string()),
  /** The name of the alert that always fires, if it was listed. */
  watchdog: z.string().optional(),
  /** There may be several at one URL. `since`: the uptime from which the 15 minutes count. */
  processes: z.array(z.object({ start: z.string(), since: z.number().optional() })),
});

interface Process extends z.output<typeof State.shape.processes.element> {
  answeredAt: number;
  /** What it listed last. Undefined: it is not known after a restart of this service. */
  last?: ReadonlySet<string>;
}

interface Remembered extends z.output<typeof State> {
  processes: Process[];
}

const provenSeconds = 15 * 60;
/** An alert is over when two looks at least this far apart do not list it. */
const apartSeconds = 60;

export class Listings {
  /** Why the last look does not prove ends, for people. */
  why: string | undefined;
  private readonly clock: Clock;
  private state = stateAt('');
  /** The uptime when a look first did not list an alert. It is another object when it is received again. */
  private missing = new Map<KnownAlert, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @param text from `toText`, of an earlier process of this service; anything else is ignored */
  restore(text: string): void {
    const { data } = State.safeParse(parseJson(text));
    if (data === undefined) return;
    const now = this.clock.uptime();
    const processes = data.processes.map(({ start, since }) => {
      // After a reboot, it counts as more recent than it is.
      return { start, since: since && Math.min(since, now), answeredAt: now };
    });
    this.state = { ...data, processes };
  }

  toText(): string {
    return JSON.stringify(State.parse(this.state));
  }

  /**
   * Returns the alerts that are over, each with the uptime since when it is missing.
   *
   * @param watchdog the name of the alert that always fires
   */
  add(look: Look, watched: readonly KnownAlert[], watchdog: string): Map<KnownAlert, number> {
    const { url, start, began, ended, hasWatchdog } = look;
    const process = this.processOf(look);
    this.remember(look, watched);
    const isBlind = this.state.watchdog === watchdog && !hasWatchdog;
    if (hasWatchdog) this.state.watchdog = watchdog;
    // There may be no look at the others before it is back.
    if (isBlind) for (const each of this.state.processes) each.since = undefined;
    else if (look.updatedAt >= Date.parse(start)) process.since ??= ended;
    // While the whole computer is paused, Alertmanager drops alerts that Prometheus cannot send again.
    const pausedUntil = this.clock.presence.latestGap(apartSeconds)?.until ?? 0;
    const provenAt = Math.max(process.since ?? ended, pausedUntil) + provenSeconds;
    const firing = watched.filter(({ alert }) => alert.status === 'firing');
    if (began >= provenAt || firing.length === 0) return this.judge(look, firing);
    const missing = isBlind
      ? `${watchdog}, which always fires (watchdog.alert in rack.yaml)`
      : `any alert that it received since its start at ${start}`;
    this.why =
      process.since === undefined
        ? `Alertmanager does not list ${missing}; check that Prometheus is running and sends alerts to ${url}`
        : `Prometheus may not have sent all alerts again since Alertmanager first listed one; ends are detected from ${timeText(this.clock, provenAt)} on`;
    return new Map();
  }

  /** Returns whether webhooks with an `externalURL` are from another Alertmanager, because those from `url` have that name. */
  isFromAnother(url: string): (externalURL: string) => boolean {
    const isNamed = Object.values(this.state.listed).some((name) => isAlertmanagerAt(url, name));
    return (externalURL) => isNamed && !isAlertmanagerAt(url, externalURL);
  }

  private judge({ url, began, ended }: Look, firing: KnownAlert[]): Map<KnownAlert, number> {
    const { listed, processes } = this.state;
    const isFromAnother = this.foreign();
    const missing = firing.filter((known) => {
      const { fingerprint } = known.alert;
      const isOwn = fingerprint in listed || isAlertmanagerAt(url, known.group?.externalURL);
      return isOwn && !processes.some(({ last }) => last?.has(fingerprint) ?? true);
    });
    const own = missing.filter((known) => !isFromAnother(known));
    this.missing = new Map(own.map((known) => [known, this.missing.get(known) ?? ended]));
    const left = missing.find(isFromAnother);
    this.why =
      left &&
      `${count(missing.length - own.length, 'alert')} that Alertmanager does not list came last from ${left.group?.externalURL}, which may be another one; if it is the same one, set its --web.external-url to ${url}`;
    return new Map([...this.missing].filter(([, first]) => began - first >= apartSeconds));
  }

  /** The process that responded. Others that have not responded for long are gone. */
  private processOf({ url, start, ended, listed }: Look): Process {
    if (url !== this.state.url) this.state = stateAt(url);
    const { processes } = this.state;
    const known = processes.find((each) => each.start === start);
    const process: Process = Object.assign(known ?? { start }, { answeredAt: ended, last: listed });
    this.state.processes = [...new Set([...processes, process])].filter(
      ({ answeredAt }) => ended - answeredAt < provenSeconds,
    );
    return process;
  }

  /** Also forgets alerts that are no longer watched. */
  private remember({ listed }: Look, watched: readonly KnownAlert[]): void {
    const before = this.state.listed;
    this.state.listed = {};
    for (const known of watched) {
      const { fingerprint } = known.alert;
      const name =
        before[fingerprint] ??
        (listed.has(fingerprint) ? (known.group?.externalURL ?? '') : undefined);
      if (name !== undefined) this.state.listed[fingerprint] = name;
    }
  }

  /** Whether the last webhook of an alert may have come from another Alertmanager, such as the other of a pair, where it still fires. */
  private foreign(): (known: KnownAlert) => boolean {
    const { url, listed } = this.state;
    const isFromAnother = this.isFromAnother(url);
    return ({ alert, group: { externalURL: name = '' } = {} }) =>
      isFromAnother(name) || (!isAlertmanagerAt(url, name) && listed[alert.fingerprint] !== name);
  }
}

function stateAt(url: string): Remembered {
  return { url, listed: {}, processes: [] };
}
