/** The services that a rack cannot be without: units of systemd stand in for them. */
import { type ServiceName, servicePorts } from '@skolo/rack';

export interface StandInService {
  name: ServiceName & ('metadata-server' | 'power-cycle-daemon');
  unit: string;
  namespace: string;
  metricsPort: number;
  /** The group that reads its configuration: that of the unit's user. */
  gid: number;
  /** Its pod has the ports of the host; other pods are reached through a Service of type LoadBalancer. */
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
