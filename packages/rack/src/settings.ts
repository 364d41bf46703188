/** The settings of each service: `services.<name>` of rack.yaml. Every key has a working default. */
import { type AlertToPubsubSettings, alertToPubsub } from './settings/alert-to-pubsub.ts';
import { type MetadataServerSettings, metadataServer } from './settings/metadata-server.ts';
import { type PowerCycleDaemonSettings, powerCycleDaemon } from './settings/power-cycle-daemon.ts';
import { type RouterBackupSettings, routerBackup } from './settings/router-backup.ts';
import { type SwarmingClientSettings, swarmingClient } from './settings/swarming-client.ts';

export type {
  AlertToPubsubSettings,
  MetadataServerSettings,
  PowerCycleDaemonSettings,
  RouterBackupSettings,
  SwarmingClientSettings,
};

export interface ServicesSettings {
  'metadata-server': MetadataServerSettings;
  'router-backup': RouterBackupSettings;
  'power-cycle-daemon': PowerCycleDaemonSettings;
  'alert-to-pubsub': AlertToPubsubSettings;
  'swarming-client': SwarmingClientSettings;
}

export const settingsSchemas = {
  'metadata-server': metadataServer,
  'router-backup': routerBackup,
  'power-cycle-daemon': powerCycleDaemon,
  'alert-to-pubsub': alertToPubsub,
  'swarming-client': swarmingClient,
} as const;

/** What a service does when rack.yaml says nothing about it. */
export function defaultSettings(): ServicesSettings {
  return {
    'metadata-server': metadataServer.parse(undefined),
    'router-backup': routerBackup.parse(undefined),
    'power-cycle-daemon': powerCycleDaemon.parse(undefined),
    'alert-to-pubsub': alertToPubsub.parse(undefined),
    'swarming-client': swarmingClient.parse(undefined),
  };
}
