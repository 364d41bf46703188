/** A request as all endpoints read it. */
import { type Endpoint, type Group, isTest } from '@skolo/alerts';

/** One alert of a request, without empty labels and zero times. */
export interface ReceivedAlert {
  /** At least one; each with a value. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Only the webhook has it; otherwise the alert is resolved when `endsAt` has passed. */
  status?: 'firing' | 'resolved';
  /** Milliseconds since the epoch. */
  startsAt?: number;
  /** Milliseconds since the epoch; the webhook has it only when it is resolved. */
  endsAt?: number;
  generatorURL?: string;
  /** Unknown fields. */
  more?: Record<string, unknown>;
}

/** Something in a good request that is not an alert. */
export interface BadAlert {
  /** For people: which field, what was found. */
  why: string;
  /** As it came. */
  found: unknown;
}

/** One request. */
export interface Batch {
  endpoint: Endpoint;
  alerts: ReceivedAlert[];
  bad: BadAlert[];
  /** The other fields of a webhook message. */
  group?: Group;
  /** Alerts that Alertmanager left out because of `max_alerts`. */
  truncated: number;
}

/** What remains of a batch when it is accepted. */
export interface Received {
  endpoint: Endpoint;
  firing: number;
  resolved: number;
  bad: BadAlert[];
  truncated: number;
  /** Names of the alerts that fire. Test alerts are left out, because they prove nothing about Prometheus. */
  names: Set<string | undefined>;
  /** There is another alert than a test. */
  isReal: boolean;
}

/** @param now milliseconds since 1970 */
export function receivedOf({ endpoint, alerts, bad, truncated }: Batch, now: number): Received {
  const names: Received['names'] = new Set();
  let resolved = 0;
  let isReal = false;
  for (const { labels, status, endsAt } of alerts) {
    const isResolved =
      status === undefined ? endsAt !== undefined && endsAt <= now : status === 'resolved';
    if (isResolved) resolved += 1;
    if (isTest(labels)) continue;
    isReal = true;
    if (status !== 'resolved') names.add(labels.alertname);
  }
  return { endpoint, firing: alerts.length - resolved, resolved, bad, truncated, names, isReal };
}

/** Accepts what the endpoints have read. */
export interface AcceptAlerts {
  /**
   * Fulfilled when all of the batch, the bad ones too, is on the disk.
   *
   * @param read makes the batch when it is its turn; it may be called again after trouble with the disk
   * @param bytes what the batch is read from
   * @throws Rejection Nothing of it is; or, at the limit of known alerts, all but the new ones.
   * @throws unknown What `read` threw.
   */
  accept(read: () => Batch, bytes: number): Promise<Received>;
}
