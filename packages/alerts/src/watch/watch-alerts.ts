/** Decides when a watch over racks fires an alert, repeats it, and resolves it. Logic only. */
import { sha256 } from '@skolo/base';
import type { Alert, AlertMessage } from '../message/message.ts';
import type { LocationReport, Report } from './dead-man.ts';

interface WatchChanges {
  /** In the order in which to send them. */
  messages: AlertMessage[];
  /** The alerts that fire from now on. */
  firing: Alert[];
}

interface WatchNow {
  report: Report;
  /** Milliseconds since 1970. */
  now: number;
  /** An interruption longer than this is also an alert. */
  blindAfterMs: number;
}

interface Condition {
  labels: Record<string, string>;
  /** Undefined: unknown at the moment, so the alert stays as it was. */
  holds: boolean | undefined;
  since: number;
  text: string;
}

/** @param firing sent earlier, and not resolved */
export function watchChanges(firing: readonly Alert[], watch: WatchNow): WatchChanges {
  const conditions = conditionsOf(watch);
  const known = new Set(conditions.map(({ labels }) => identity(labels)));
  const before = new Map(firing.map((alert) => [alert.fingerprint, alert]));
  const messages: AlertMessage[] = [];
  const after: Alert[] = [];
  // Alerts of locations that are no longer expected.
  for (const alert of firing) {
    if (!known.has(alert.fingerprint))
      messages.push(message(resolved(alert, watch.now), watch.now));
  }
  for (const condition of conditions) {
    const alert = before.get(identity(condition.labels));
    if (alert !== undefined && condition.holds === false) {
      messages.push(message(resolved(alert, watch.now), watch.now));
    } else if (alert !== undefined) {
      after.push(alert);
    } else if (condition.holds) {
      const started = firingAlert(condition);
      messages.push(message(started, watch.now));
      after.push(started);
    }
  }
  return { messages, firing: after };
}

function conditionsOf({ report, now, blindAfterMs }: WatchNow): Condition[] {
  const { locations, blindSince } = report;
  return [
    {
      labels: { alertname: 'WatchBlind', severity: 'critical' },
      holds: blindSince !== undefined && (now - blindSince >= blindAfterMs || undefined),
      since: blindSince ?? now,
      text: 'skolo alerts watch cannot reach Pub/Sub, so silent racks are not detected; check its network connection and credentials',
    },
    ...locations.flatMap((each) => ofLocation(each, blindSince !== undefined)),
  ];
}

function ofLocation(report: LocationReport, isBlind: boolean): Condition[] {
  const { location, state, silentSince = 0, lastHeard, heartbeat } = report;
  const isKnown = !isBlind && state !== 'waiting';
  // Not `location`, which is an alert's origin: this alert comes from the watch.
  const labels = { rack: location, severity: 'critical' };
  return [
    {
      labels: { alertname: 'RackSilent', ...labels },
      holds: isKnown ? state === 'silent' : undefined,
      since: silentSince,
      text:
        lastHeard === undefined
          ? `${location}: no heartbeat since ${timeText(silentSince)}; check the rack, its internet connection and alert-to-pubsub`
          : `${location} has been silent since ${timeText(lastHeard)}; check the rack, its internet connection and alert-to-pubsub`,
    },
    {
      labels: { alertname: 'RackUnhealthy', ...labels },
      // The health of a silent location is unknown.
      holds: isKnown && state !== 'silent' ? state === 'unhealthy' : undefined,
      since: heartbeat?.published ?? 0,
      text: `${location}: ${heartbeat?.why ?? 'alert-to-pubsub reports that it is unhealthy'}`,
    },
  ];
}

function firingAlert({ labels, since, text }: Condition): Alert {
  return {
    fingerprint: identity(labels),
    status: 'firing',
    labels,
    annotations: { summary: text },
    startsAt: new Date(since).toISOString(),
  };
}

function resolved(alert: Alert, now: number): Alert {
  return { ...alert, status: 'resolved', endsAt: new Date(now).toISOString() };
}

function message(alert: Alert, now: number): AlertMessage {
  const at = new Date(now).toISOString();
  const time = now.toString(16).padStart(11, '0');
  const id = `${alert.fingerprint}${time}${alert.status === 'firing' ? '00000' : '00001'}`;
  return {
    kind: 'transition',
    id,
    at,
    alert,
    endpoint: 'v2',
    first: alert.startsAt,
    last: at,
    count: 1,
  };
}

/** No other program creates these alerts, so none has to compute the same fingerprint. */
function identity(labels: Record<string, string>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(sorted)).slice(0, 16);
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
