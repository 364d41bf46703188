/**
 * Services of the jumphost. A rack cannot be without two of them: systemd units replace these while k3s is down. And where their files are.
 */
import { join } from 'node:path';
import { type JumphostService, namespaceOf, servicePorts } from '@skolo/rack/light';

export interface PodService {
  name: JumphostService;
  namespace: string;
  metricsPort: number;
  /** Its pod has the ports of the host. Other pods are reached through a Service of type LoadBalancer. */
  isOnHostNetwork: boolean;
}

export interface FallbackService extends PodService {
  name: 'metadata-server' | 'power-cycle-daemon';
  unit: string;
  /** The group that reads its configuration: that of the unit's user. */
  gid: number;
}

function podService<Name extends JumphostService>(name: Name) {
  const { metricsPort } = servicePorts[name];
  const isOnHostNetwork = name === 'metadata-server';
  return { name, namespace: namespaceOf(name), metricsPort, isOnHostNetwork };
}

export const metadataServer: FallbackService = {
  ...podService('metadata-server'),
  unit: 'skolo-metadata-server.service',
  gid: 0,
};

export const powerCycleDaemon: FallbackService = {
  ...podService('power-cycle-daemon'),
  unit: 'skolo-power-cycle-daemon.service',
  gid: 10_001,
};

export const services: readonly FallbackService[] = [metadataServer, powerCycleDaemon];

/** Also those that only k3s runs. An existing system may serve in their place. */
export const allServices: readonly PodService[] = [
  ...services,
  ...(['router-backup', 'alert-to-pubsub', 'machine-state'] as const).map(podService),
];

/** Whether a unit of ours can stand in for it. */
export function hasUnit(service: PodService): service is FallbackService {
  return 'unit' in service;
}

/** What its pod has at /etc/skolo. */
export function configurationOf({ name }: FallbackService): string {
  return join('/etc/skolo', name);
}

/** Those without a unit have no copy of their own; all copies are of the same rack. */
export function rackFileOf(service: PodService): string {
  return join(configurationOf(hasUnit(service) ? service : metadataServer), 'rack.yaml');
}

/** The program of the service, below a root: /opt/skolo on the host, the image's in a pod. */
export function programOf({ name }: PodService): string {
  return join('services', name, 'dist', 'main.js');
}
