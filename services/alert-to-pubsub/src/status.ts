/**
 * The current state of the service, for its API, the metrics and the heartbeat: sinks, queues, and what is degraded. Times in
 * milliseconds since 1970.
 */
import { deliveryOf } from '@skolo/alerts/delivery-state';
import type { KnownAlert } from '@skolo/api';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { Sinks } from './delivery/sinks.ts';
import type { Intake } from './intake/intake.ts';
import type { Capacity } from './state/capacity.ts';
import type { Damage } from './state/damage.ts';
import type { Looks } from './watch/looks.ts';
import type { Watchdog } from './watch/watchdog.ts';

export type Status = ReturnType<typeof createStatus>;

interface StatusDeps {
  settings(): AlertToPubsubSettings;
  intake: Intake;
  capacity: Capacity;
  damage: Damage;
  watchdog: Watchdog;
  sinks: Sinks;
  looks: Pick<Looks, 'unseen'>;
}

export function createStatus(deps: StatusDeps) {
  const { settings, intake, capacity, damage, watchdog, sinks, looks } = deps;
  const known = () => [...intake.alerts.values()].map((tracked) => tracked.known);
  return {
    alerts: (): KnownAlert[] =>
      known().map(({ alert: { more: _, ...alert }, endpoint, first, last, count, expired }) => {
        return { ...alert, endpoint, first, last, count, ...(expired && { expired }) };
      }),
    firing: () => known().filter(({ alert }) => alert.status === 'firing').length,
    spool: () => ({ bytes: capacity.bytes, maxBytes: settings().spool.maxBytes }),
    /** Why no alert is accepted, for people. */
    rejecting: () => capacity.rejecting,
    /** What the spool has lost in the last day, for people. */
    damage: () => damage.current?.why,
    /** As the heartbeat reports it. */
    health: () => watchdog.status(),
    delivery: () =>
      deliveryOf({
        ...watchdog.status(),
        spool: { rejecting: capacity.rejecting },
        sinks: sinks.views(),
      }),
    receivers: () => watchdog.receivers(),
    sinks: () => sinks.views(),
    /** Why the end of a muted alert is not detected, for people. */
    unseen: () => looks.unseen,
  };
}
