/** Complete messages: Alertmanager's webhook, and the list that Prometheus posts. */
import type { Endpoint, Group } from '@skolo/alerts';
import { count, isObject } from '@skolo/base';
import { readAlert, readTexts, shown, whatElse } from './alert.ts';
import type { BadAlert, Batch, ReceivedAlert } from './batch.ts';
import { malformed } from './rejection.ts';

/** The path of each kind of message. */
export const pathOf: Readonly<Record<Endpoint, string>> = {
  webhook: '/webhook',
  v1: '/api/v1/alerts',
  v2: '/api/v2/alerts',
};

/**
 * @param now milliseconds since 1970
 * @throws Rejection It is not such a message.
 */
export function readMessage(value: unknown, endpoint: Endpoint, now: number): Batch {
  return endpoint === 'webhook' ? readWebhook(value, now) : readList(value, endpoint, now);
}

/** What Prometheus posts to an Alertmanager. */
function readList(value: unknown, endpoint: Endpoint, now: number): Batch {
  if (Array.isArray(value)) return { endpoint, ...readAlerts(value, endpoint, now), truncated: 0 };
  const hint =
    isObject(value) && Array.isArray(value.alerts)
      ? '; this is an Alertmanager webhook message: post it to /webhook'
      : '; even a single alert must be in a list';
  throw malformed(`expected a list of alerts, found ${shown(value)}${hint}`);
}

/** The fields of `version` "4" besides `alerts`. */
const texts = { groupKey: 'key', receiver: 'receiver', externalURL: 'externalURL' } as const;
const maps = {
  groupLabels: 'labels',
  commonLabels: 'commonLabels',
  commonAnnotations: 'commonAnnotations',
} as const;

/**
 * Version 4. Messages of another version, or of none (not only Alertmanager posts them), are read in the same way, as long as they make
 * sense: at least one entry is an alert, or alerts were left out. An invalid group field does not invalidate alerts; it is kept as
 * received.
 */
function readWebhook(value: unknown, now: number): Batch {
  if (!isObject(value)) {
    const hint = Array.isArray(value) ? '; post a list of alerts to /api/v2/alerts' : '';
    throw malformed(`expected an Alertmanager webhook message, found ${shown(value)}${hint}`);
  }
  const { alerts: found = null, version, truncatedAlerts } = value;
  const isCount = Number.isSafeInteger(truncatedAlerts) && Number(truncatedAlerts) >= 0;
  const truncated = isCount ? Number(truncatedAlerts) : 0;
  if (found === null ? truncated === 0 : !Array.isArray(found)) {
    throw malformed(
      `alerts: expected a list, found ${shown(found)}; send Alertmanager's webhook message without a custom payload`,
    );
  }
  const { alerts, bad } = readAlerts(Array.isArray(found) ? found : [], 'webhook', now);
  if (version !== '4' && alerts.length === 0 && truncated === 0) {
    const why = bad[0]?.why ?? 'the message contains no alerts';
    throw malformed(`version: expected "4", found ${shown(version)}, and ${why}`);
  }
  const group = readGroup(value, isCount, bad);
  if (alerts.length * groupBytes(group) <= mostGroupBytes) {
    return { endpoint: 'webhook', alerts, bad, group, truncated };
  }
  const { receiver, externalURL } = group;
  const short: Group = { ...(receiver && { receiver }), ...(externalURL && { externalURL }) };
  const isShort = alerts.length * groupBytes(short) <= mostGroupBytes;
  const left = isShort ? "with its receiver and Alertmanager's URL only" : 'without it';
  const why = `group: including it in each alert would exceed 16 MiB in total, so the alerts are sent ${left}`;
  bad.push({ why, found: group, entries: 0 });
  return { endpoint: 'webhook', alerts, bad, truncated, ...(isShort && { group: short }) };
}

/** Each alert is sent with its group: a small request could become gigabytes. */
const mostGroupBytes = 16 * 2 ** 20;
/** Approximate size of a message without its alert's text. */
const messageBytes = 500;

/** Memory of a batch until it is in the spool, in addition to that for receiving it. */
export function bytesOf({ alerts, group }: Batch): number {
  return alerts.length * (messageBytes + groupBytes(group));
}

function groupBytes(group: Group | undefined): number {
  return group === undefined ? 0 : JSON.stringify(group).length;
}

function readGroup(value: Record<string, unknown>, isCount: boolean, bad: BadAlert[]): Group {
  const group: Group = {};
  const understood = new Set(['alerts']);
  if (isCount) understood.add('truncatedAlerts');
  if (value.version === '4') understood.add('version');
  for (const [field, name] of entriesOf(texts)) {
    const text = value[field];
    if (typeof text !== 'string') continue;
    group[name] = text;
    understood.add(field);
  }
  for (const [field, name] of entriesOf(maps)) {
    const map = readTexts(value[field], field);
    if (typeof map === 'string') continue;
    group[name] = map;
    understood.add(field);
  }
  const more = whatElse(
    value,
    (name) => understood.has(name),
    (why, found) => bad.push({ why: `group: ${why}`, found, entries: 0 }),
  );
  if (more !== undefined) group.more = more;
  return group;
}

/** `Object.entries` loses the type of the names. */
function entriesOf<K extends string, V>(object: { readonly [name in K]: V }): [K, V][] {
  return Object.entries(object) as [K, V][];
}

/** Each is kept with its reason. A few of them are enough to show a repeated error. */
const mostBad = 10_000;

function readAlerts(
  found: unknown[],
  endpoint: Endpoint,
  now: number,
): { alerts: ReceivedAlert[]; bad: BadAlert[] } {
  const alerts: ReceivedAlert[] = [];
  const bad: BadAlert[] = [];
  let unkept = 0;
  for (const one of found) {
    const alert = readAlert(one, endpoint, now, bad);
    if (typeof alert !== 'string') alerts.push(alert);
    else if (bad.length < mostBad) bad.push({ why: alert, found: one });
    else unkept += 1;
  }
  if (unkept > 0)
    bad.push({
      why: `${count(unkept, 'more invalid entry', 'more invalid entries')}, not stored`,
      found: null,
      entries: unkept,
    });
  return { alerts, bad };
}
