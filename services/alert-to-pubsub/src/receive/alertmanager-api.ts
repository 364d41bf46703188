/** Handlers of Alertmanager's API, for amtool, dashboards and probes. */
import type { alertmanagerApi, GettableAlert, KnownAlert } from '@skolo/api';
import type { AccessControl, CallerLimit, Clock, RouteHandlers } from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { ReceiverAuth } from './auth.ts';
import { Expressions, matching, parseMatcher } from './matchers.ts';
import { Rejection } from './rejection.ts';

interface AlertmanagerDeps {
  known(): readonly KnownAlert[];
  settings(): AlertToPubsubSettings;
  clock: Pick<Clock, 'now'>;
  /** Of regular expressions. */
  limit: Pick<CallerLimit, 'take'>;
  /** Milliseconds since the epoch. */
  startedAt: number;
  version: string;
}

interface AlertsQuery {
  filter?: string | string[] | undefined;
  receiver?: string | string[] | undefined;
  active?: string | string[] | undefined;
}

export function alertmanagerHandlers(
  deps: AlertmanagerDeps,
): RouteHandlers<typeof alertmanagerApi> {
  const ok = async () => ({ status: 200 as const, body: 'OK' });
  const noSilences = async () => ({
    status: 400 as const,
    body: 'silences are not supported, because this service forwards every alert; create silences in the Alertmanager that sends to this service, or in the system that reads the alerts',
  });
  return {
    receiveV2: answeredBefore,
    receiveV1: answeredBefore,
    receiveWebhook: answeredBefore,
    getAlerts: async ({ query, caller }) =>
      limited(deps, caller.name, (expressions) => alertsFor(deps, query, expressions)),
    getAlertGroups: async ({ query, caller }) =>
      limited(deps, caller.name, (expressions) => groupsFor(deps, query, expressions)),
    getReceivers: async () => ({ status: 200, body: receivers(deps.settings()) }),
    getStatus: async () => ({ status: 200, body: statusOf(deps) }),
    getSilences: async () => ({ status: 200, body: [] }),
    postSilences: noSilences,
    getSilence: noSilences,
    deleteSilence: noSilences,
    ready: ok,
    healthy: ok,
  };
}

/** Lets the credentials of `auth` read Alertmanager's API, too, because amtool has no others. */
export function receiverAccess(
  auth: Pick<ReceiverAuth, 'fits'>,
  access: Pick<AccessControl, 'admit'>,
): Pick<AccessControl, 'admit'> {
  return {
    async admit(request, role, log) {
      const isAlertmanagers = request.url?.startsWith('/api/v2/') && role === 'view';
      if (isAlertmanagers && (await auth.fits(request.headers.authorization))) {
        return { name: 'receivers', role, by: 'token' };
      }
      return access.admit(request, role, log);
    },
  };
}

/** receivers.ts answers them: the API's core took longer than all the rest. */
function answeredBefore(): never {
  throw new Error('receivers.ts has not handled a request that posts alerts');
}

/**
 * Alertmanager answers a wrong filter with a text.
 *
 * @throws HttpProblem 429: the caller's expressions have taken too long.
 */
function limited<T>(
  { limit }: AlertmanagerDeps,
  caller: string,
  answer: (expressions: Expressions) => T,
) {
  const expressions = new Expressions(() => limit.take(caller, 0));
  try {
    return { status: 200 as const, body: answer(expressions) };
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return { status: 400 as const, body: error.message };
  } finally {
    if (expressions.used > 0) limit.take(caller, expressions.used);
  }
}

/** The sinks: each receives every alert. */
function receivers({ pubsub, sinks }: AlertToPubsubSettings): { name: string }[] {
  return [...(pubsub ? ['pubsub'] : []), ...sinks.map(({ name }) => name)].map((name) => ({
    name,
  }));
}

/**
 * Firing alerts. No alert is silenced or inhibited here, so only `active`, `filter` and `receiver` select.
 *
 * @throws Rejection A filter is not valid.
 */
function alertsFor(
  deps: AlertmanagerDeps,
  query: AlertsQuery,
  expressions: Expressions,
): GettableAlert[] {
  const settings = deps.settings();
  const matchers = [query.filter ?? []].flat().map(parseMatcher);
  const receiver = first(query.receiver);
  const all = receivers(settings);
  const names = all.map(({ name }) => name);
  if (receiver !== undefined && !expressions.test(receiver, names).includes(true)) return [];
  if (isFalse(first(query.active))) return [];
  const now = deps.clock.now();
  const firing = deps
    .known()
    .filter(({ status, endsAt }) => status === 'firing' && !(Date.parse(endsAt ?? '') < now));
  return matching(matchers, firing, expressions)
    .map((alert) => gettable(alert, all, settings))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

/** By alert name, once per sink. */
function groupsFor(deps: AlertmanagerDeps, query: AlertsQuery, expressions: Expressions) {
  const byName = new Map<string, GettableAlert[]>();
  for (const alert of alertsFor(deps, query, expressions)) {
    const { alertname = '' } = alert.labels;
    const others = byName.get(alertname);
    if (others === undefined) byName.set(alertname, [alert]);
    else others.push(alert);
  }
  const asked = first(query.receiver);
  const names = receivers(deps.settings()).map(({ name }) => name);
  const fits = asked === undefined ? [] : expressions.test(asked, names);
  const wanted = names.filter((_name, index) => fits[index] ?? true);
  return wanted.flatMap((name) =>
    [...byName].map(([alertname, alerts]) => ({
      alerts,
      labels: alertname === '' ? {} : { alertname },
      receiver: { name },
    })),
  );
}

function statusOf({ settings, startedAt, version }: AlertmanagerDeps) {
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
  // When it expires unless it is received again.
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

function first(value: string | string[] | undefined): string | undefined {
  return [value].flat()[0];
}

function isFalse(value: string | undefined): boolean {
  return value !== undefined && !/^(true|1|yes|ok|y|on|selected|checked|t|enabled)$/i.test(value);
}
