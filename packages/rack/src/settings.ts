/** The settings of each service: `services.<name>` of rack.yaml. Every key has a working default. */
import type { Machine, Rack } from './rack.ts';
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

export const serviceNames = [
  'metadata-server',
  'router-backup',
  'power-cycle-daemon',
  'alert-to-pubsub',
  'swarming-client',
] as const;
export type ServiceName = (typeof serviceNames)[number];

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

/** The ports of each service where nothing else is said (design, section 3). */
export const servicePorts: Record<ServiceName, { port: number; metricsPort: number }> = {
  'metadata-server': { port: 80, metricsPort: 20_010 },
  'router-backup': { port: 8003, metricsPort: 20_011 },
  'power-cycle-daemon': { port: 9210, metricsPort: 20_012 },
  'alert-to-pubsub': { port: 8001, metricsPort: 20_013 },
  'swarming-client': { port: 11_001, metricsPort: 20_014 },
};

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

/**
 * Where a service is found, by everyone: what rack.yaml says, else the jumphost. The agent runs on every machine, so
 * with a machine it is the one there.
 */
export function serviceUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return found(rack, service, 'url', servicePorts[service].port, machine);
}

/** Where the metrics of a service are read. */
export function serviceMetricsUrl(rack: Rack, service: ServiceName, machine?: Machine): string {
  return found(rack, service, 'metricsUrl', servicePorts[service].metricsPort, machine);
}

function found(
  rack: Rack,
  service: ServiceName,
  key: 'url' | 'metricsUrl',
  port: number,
  machine?: Machine,
): string {
  if (service === 'swarming-client' && machine !== undefined) {
    const own = machine.swarming[key];
    return typeof own === 'string'
      ? own
      : `http://${hostOfUrl(machine.address ?? machine.name)}:${port}`;
  }
  return rack.services[service][key] ?? `http://${hostOfUrl(rack.jumphost.address)}:${port}`;
}

/** An address as it is written in a URL: IPv6 in brackets. */
export function hostOfUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
