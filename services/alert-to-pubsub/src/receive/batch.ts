/** A request with alerts, in the form common to all endpoints. */
import { type Endpoint, type Group, isTest } from '@skolo/alerts';
import { isOfRack } from '@skolo/common';
import type { Rack } from '@skolo/rack';

/** One alert of a request, without empty labels and zero times. */
export interface ReceivedAlert {
  /** At least one; each with a value. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Only in webhook messages; otherwise the alert is resolved when `endsAt` has passed. */
  status?: 'firing' | 'resolved';
  /** Milliseconds since the epoch. */
  startsAt?: number;
  /** Milliseconds since the epoch; in webhook messages only if it is resolved. */
  endsAt?: number;
  generatorURL?: string;
  /** Its sender did not report that it is resolved. */
  expired?: true;
  /** Unknown fields. */
  more?: Record<string, unknown>;
}

/** An entry of a valid request that is not an alert, or fields of an alert or a group that are too large. */
export interface BadAlert {
  /** For people: which field, and what it contains. */
  why: string;
  /** As received. */
  found: unknown;
  /** How many entries it stands for; absent: one. 0 for fields, without which the alert is accepted. */
  entries?: number;
}

export function countInvalid(bad: readonly BadAlert[]): number {
  return bad.reduce((sum, { entries = 1 }) => sum + entries, 0);
}

/** One request. */
export interface Batch {
  endpoint: Endpoint;
  alerts: ReceivedAlert[];
  bad: BadAlert[];
  /** The other fields of a webhook message. */
  group?: Group;
  /** Alerts that Alertmanager omitted because of `max_alerts`. */
  truncated: number;
}

/** What is kept of a batch after it is accepted. */
export interface Received {
  endpoint: Endpoint;
  firing: number;
  resolved: number;
  bad: BadAlert[];
  /** How many alerts and groups have lost fields. */
  stripped: number;
  truncated: number;
  /** Names of the firing alerts. Those of tests and other racks are excluded, because they prove nothing about this rack's Prometheus. */
  names: Set<string | undefined>;
  /** There is an alert of this rack that is not a test. */
  isReal: boolean;
}

/**
 * Returns what is kept of a batch.
 *
 * @param now milliseconds since 1970
 * @param rack of this service, if it has one
 */
export function receivedOf(
  { endpoint, alerts, bad: found, truncated }: Batch,
  now: number,
  rack?: Pick<Rack, 'name'>,
): Received {
  const names: Received['names'] = new Set();
  let resolved = 0;
  let isReal = false;
  for (const { labels, status, endsAt } of alerts) {
    const isResolved =
      status === undefined ? endsAt !== undefined && endsAt <= now : status === 'resolved';
    if (isResolved) resolved += 1;
    if (isTest(labels) || (rack !== undefined && !isOfRack(rack, labels))) continue;
    isReal = true;
    if (status !== 'resolved') names.add(labels.alertname);
  }
  const bad = found.filter(({ entries }) => entries !== 0);
  const stripped = found.length - bad.length;
  const firing = alerts.length - resolved;
  return { endpoint, firing, resolved, bad, stripped, truncated, names, isReal };
}

/** Accepts what the endpoints have read. */
export interface AcceptAlerts {
  /**
   * Fulfilled when the whole batch, including invalid entries, is on the disk.
   *
   * @param read creates the batch in its turn; it may be called again after a disk problem
   * @param bytes the bytes that the batch is read from
   * @throws Rejection Nothing is accepted; or, at the limit of known alerts, all but the new ones.
   * @throws unknown What `read` threw.
   */
  accept(read: () => Batch, bytes: number): Promise<Received>;
}
