/** Settings of services: `services.<name>` of rack.yaml. Every key has a default. */
import { z } from 'zod';
import type { ServiceName } from '../service-ports.ts';
import { alertToPubsub } from './alert-to-pubsub.ts';
import { machineState } from './machine-state.ts';
import { metadataServer } from './metadata-server.ts';
import { powerCycleDaemon } from './power-cycle-daemon.ts';
import { routerBackup } from './router-backup.ts';
import { swarmingClient } from './swarming-client.ts';

export type { AlertToPubsubSettings } from './alert-to-pubsub.ts';
export type { PowerCycleDaemonSettings } from './power-cycle-daemon.ts';

export const settingsSchemas = {
  'metadata-server': metadataServer,
  'router-backup': routerBackup,
  'power-cycle-daemon': powerCycleDaemon,
  'alert-to-pubsub': alertToPubsub,
  'machine-state': machineState,
  'swarming-client': swarmingClient,
} satisfies Record<ServiceName, z.ZodType>;

/** The settings of all services, by name. */
export const servicesSchema = z.object(settingsSchemas);
export type ServicesSettings = z.output<typeof servicesSchema>;

/** The settings of a rack.yaml without `services`. */
export function defaultSettings(): ServicesSettings {
  return servicesSchema.parse({});
}
