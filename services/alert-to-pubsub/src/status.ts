/** The present state of the service, for its API, the metrics and the heartbeat. Times in milliseconds since 1970. */
import type { KnownAlert, ReceiverStatus } from '@skolo/api';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { DeliveryStatus } from './delivery/delivery.ts';
import type { Sinks } from './delivery/sinks.ts';
import type { Intake } from './intake/intake.ts';
import type { Capacity } from './state/capacity.ts';
import type { Damage } from './state/damage.ts';
import type { Health, Watchdog } from './watch/watchdog.ts';

export interface SinkView extends DeliveryStatus {
  name: string;
  kind: 'pubsub' | 'file' | 'http';
  lastSuccess: number | undefined;
  wantsHeartbeat: boolean;
  lastHeartbeat: number | undefined;
}

export interface Status {
  alerts(): KnownAlert[];
  firing(): number;
  spool(): { bytes: number; maxBytes: number };
  /** Why no alert is accepted, for people. */
  refusing(): string | undefined;
  /** What the spool has lost in the last day, for people. */
  damage(): string | undefined;
  /** As the heartbeat reports it. */
  health(): Health;
  receivers(): ReceiverStatus[];
  sinks(): SinkView[];
}

interface StatusDeps {
  settings(): AlertToPubsubSettings;
  intake: Intake;
  capacity: Capacity;
  damage: Damage;
  watchdog: Watchdog;
  sinks: Sinks;
}

export function createStatus(deps: StatusDeps): Status {
  const { settings, intake, capacity, damage, watchdog, sinks } = deps;
  const known = () => [...intake.alerts.values()].map((tracked) => tracked.known);
  return {
    alerts: () =>
      known().map(({ alert: { more: _, ...alert }, door, first, last, count, expired }) => {
        return { ...alert, door, first, last, count, ...(expired && { expired }) };
      }),
    firing: () => known().filter(({ alert }) => alert.status === 'firing').length,
    spool: () => ({ bytes: capacity.bytes, maxBytes: settings().spool.maxBytes }),
    refusing: () => capacity.refusing,
    damage: () => damage.current?.why,
    health: () => watchdog.status(),
    receivers: () => watchdog.receivers(),
    sinks: () => sinks.views(),
  };
}
