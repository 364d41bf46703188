/** What an Alertmanager tells of itself, so that amtool, dashboards and probes are content. */
import type { KnownAlert } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import { matchesAll, matching, parseMatcher } from './matchers.ts';

export interface AlertmanagerDeps {
  known(): readonly KnownAlert[];
  settings(): AlertToPubsubSettings;
  clock: Pick<Clock, 'now'>;
  /** Milliseconds since the epoch. */
  startedAt: number;
  version: string;
}

/** What is told of an alert. */
export interface GettableAlert {
  annotations: Record<string, string>;
  endsAt: string;
  fingerprint: string;
  receivers: { name: string }[];
  startsAt: string;
  status: { inhibitedBy: never[]; mutedBy: never[]; silencedBy: never[]; state: 'active' };
  updatedAt: string;
  generatorURL: string;
  labels: Record<string, string>;
}

/** The sinks: all of them get everything. */
export function receivers({ pubsub, sinks }: AlertToPubsubSettings): { name: string }[] {
  return [...(pubsub ? ['pubsub'] : []), ...sinks.map(({ name }) => name)].map((name) => ({
    name,
  }));
}

/**
 * Alerts that fire, as `GET /api/v2/alerts` of Alertmanager. Nothing is silenced or inhibited here, so that only
 * `active`, `filter` and `receiver` say which.
 *
 * @throws Refused A filter is none.
 */
export function alertsFor(deps: AlertmanagerDeps, query: URLSearchParams): GettableAlert[] {
  const settings = deps.settings();
  const matchers = query.getAll('filter').map(parseMatcher);
  const receiver = query.get('receiver');
  const all = receivers(settings);
  const names = all.map(({ name }) => name);
  if (receiver !== null && matchesAll(receiver, names).length === 0) return [];
  if (isFalse(query.get('active'))) return [];
  const now = deps.clock.now();
  const firing = deps
    .known()
    .filter(({ status, endsAt }) => status === 'firing' && !(Date.parse(endsAt ?? '') < now));
  return matching(matchers, firing)
    .map((alert) => gettable(alert, all, settings))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

/** By name of the alert, once for each receiver. */
export function groupsFor(deps: AlertmanagerDeps, query: URLSearchParams) {
  const byName = new Map<string, GettableAlert[]>();
  for (const alert of alertsFor(deps, query)) {
    const { alertname = '' } = alert.labels;
    const others = byName.get(alertname);
    if (others === undefined) byName.set(alertname, [alert]);
    else others.push(alert);
  }
  const asked = query.get('receiver');
  const names = receivers(deps.settings()).map(({ name }) => name);
  const wanted = asked === null ? names : matchesAll(asked, names);
  return wanted.flatMap((name) =>
    [...byName].map(([alertname, alerts]) => ({
      alerts,
      labels: alertname === '' ? {} : { alertname },
      receiver: { name },
    })),
  );
}

export function statusOf({ settings, startedAt, version }: AlertmanagerDeps) {
  const names = receivers(settings()).map(({ name }) => name);
  const [first = 'pubsub'] = names;
  const original = [
    `route: { receiver: ${first} }`,
    'receivers:',
    ...names.map((n) => `- name: ${n}`),
  ];
  return {
    cluster: { name: '', peers: [], status: 'disabled' },
    config: { original: `${original.join('\n')}\n` },
    uptime: new Date(startedAt).toISOString(),
    versionInfo: {
      branch: 'alert-to-pubsub',
      buildDate: '',
      buildUser: '',
      goVersion: '',
      revision: '',
      version,
    },
  };
}

function gettable(
  alert: KnownAlert,
  receivers: { name: string }[],
  { repeatHours }: AlertToPubsubSettings,
): GettableAlert {
  const { annotations, fingerprint, startsAt, last, labels, generatorURL = '' } = alert;
  // When it would count as resolved without another word.
  const endsAt = alert.endsAt ?? new Date(Date.parse(last) + repeatHours * 3_600_000).toISOString();
  return {
    annotations,
    endsAt,
    fingerprint,
    receivers,
    startsAt,
    status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
    updatedAt: last,
    generatorURL,
    labels,
  };
}

function isFalse(value: string | null): boolean {
  return value !== null && !/^(true|1|yes|ok|y|on|selected|checked|t|enabled)$/i.test(value);
}
