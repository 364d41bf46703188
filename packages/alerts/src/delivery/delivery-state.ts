/** Decides whether alerts reach people: the one judgement of alert-to-pubsub's status, for the console, the command and the metric. */

/**
 * The worst first.
 *
 * - `failing`: alerts are not accepted, or a sink does not accept them.
 * - `silent`: Prometheus or Alertmanager has stopped sending.
 * - `not confirmed`: nothing has been received, or no sink has accepted anything yet.
 */
export const deliveryStates = ['failing', 'silent', 'not confirmed', 'delivered'] as const;
type DeliveryState = (typeof deliveryStates)[number];

/** The part of the status that matters. Times of any type: absent means never, or not. */
export interface DeliveryFacts {
  healthy: boolean;
  why?: string | undefined;
  lastHeard?: unknown;
  spool: { rejecting?: string | undefined };
  sinks: readonly {
    name: string;
    lastSuccess?: unknown;
    failingSince?: unknown;
    detail?: string | undefined;
  }[];
}

/** `text`: why, and what to do; empty if alerts are delivered. */
export function deliveryOf(status: DeliveryFacts): { state: DeliveryState; text: string } {
  const { healthy, why, lastHeard, spool, sinks } = status;
  const failing = sinks.filter(({ failingSince }) => failingSince !== undefined);
  const reasons = failing.map(({ name, detail }) => `sink ${name}: ${detail ?? 'no details'}`);
  if (!healthy) reasons.unshift(why ?? 'to see the reason, run skolo alerts status');
  const text = reasons.join('; ');
  if (failing.length > 0 || spool.rejecting !== undefined) return { state: 'failing', text };
  if (!healthy) return { state: 'silent', text };
  const isAccepted = sinks.some(({ lastSuccess }) => lastSuccess !== undefined);
  if (lastHeard !== undefined && isAccepted) return { state: 'delivered', text: '' };
  const missing =
    lastHeard === undefined ? 'alert has been received' : 'sink has accepted an alert';
  const how = 'to test alert delivery, run skolo alerts send';
  return { state: 'not confirmed', text: `no ${missing} yet; ${how}` };
}
