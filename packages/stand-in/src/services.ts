/** Services of the jumphost. A rack cannot be without two of them: units of systemd stand in for these. And where their files are. */
import { join } from 'node:path';
import { type JumphostService, namespaceOf, servicePorts } from '@skolo/rack/ports';

export interface PodService {
  name: JumphostService;
  namespace: string;
  metricsPort: number;
  /** Its pod has the ports of the host. Other pods are reached through a Service of type LoadBalancer. */
  isOnHostNetwork: boolean;
}

export interface StandInService extends PodService {
  name: 'metadata-server' | 'power-cycle-daemon';
  unit: string;
  /** The group that reads its configuration: that of the unit's user. */
  gid: number;
}

export const metadataServer: StandInService = {
  name: 'metadata-server',
  unit: 'skolo-metadata-server.service',
  namespace: namespaceOf('metadata-server'),
  metricsPort: servicePorts['metadata-server'].metricsPort,
  gid: 0,
  isOnHostNetwork: true,
};

export const powerCycleDaemon: StandInService = {
  name: 'power-cycle-daemon',
  unit: 'skolo-power-cycle-daemon.service',
  namespace: namespaceOf('power-cycle-daemon'),
  metricsPort: servicePorts['power-cycle-daemon'].metricsPort,
  gid: 10_001,
  isOnHostNetwork: false,
};

export const services: readonly StandInService[] = [metadataServer, powerCycleDaemon];

/** Those that only k3s runs. A former system may serve in their place. */
export const podServices: readonly PodService[] = (
  ['router-backup', 'alert-to-pubsub', 'machine-state'] as const
).map((name) => ({
  ...{ name, namespace: namespaceOf(name), isOnHostNetwork: false },
  metricsPort: servicePorts[name].metricsPort,
}));

/** Whether a unit of ours can stand in for it. */
export function hasUnit(service: PodService): service is StandInService {
  return 'unit' in service;
}

/** What its pod has at /etc/skolo. */
export function configurationOf({ name }: StandInService): string {
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
