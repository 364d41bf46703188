/** The services that a rack cannot be without: units of systemd stand in for them. And where their files are. */
import { join } from 'node:path';
import { type ServiceName, servicePorts } from '@skolo/rack';

export interface StandInService {
  name: ServiceName & ('metadata-server' | 'power-cycle-daemon');
  unit: string;
  namespace: string;
  metricsPort: number;
  /** The group that reads its configuration: that of the unit's user. */
  gid: number;
  /** Its pod has the ports of the host. Other pods are reached through a Service of type LoadBalancer. */
  isOnHostNetwork: boolean;
}

export const metadataServer: StandInService = {
  name: 'metadata-server',
  unit: 'skolo-metadata-server.service',
  namespace: 'skolo-node',
  metricsPort: servicePorts['metadata-server'].metricsPort,
  gid: 0,
  isOnHostNetwork: true,
};

export const powerCycleDaemon: StandInService = {
  name: 'power-cycle-daemon',
  unit: 'skolo-power-cycle-daemon.service',
  namespace: 'skolo',
  metricsPort: servicePorts['power-cycle-daemon'].metricsPort,
  gid: 10_001,
  isOnHostNetwork: false,
};

export const services: readonly StandInService[] = [metadataServer, powerCycleDaemon];

/** What its pod has at /etc/skolo. */
export function configurationOf({ name }: StandInService): string {
  return join('/etc/skolo', name);
}

export function rackFileOf(service: StandInService): string {
  return join(configurationOf(service), 'rack.yaml');
}

/** The program of the service, below a root: /opt/skolo on the host, the image's in a pod. */
export function programOf({ name }: StandInService): string {
  return join('services', name, 'dist', 'main.js');
}
