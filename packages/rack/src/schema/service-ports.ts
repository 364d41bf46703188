/** Decides the names and default ports of the services, agents and Kubernetes. */
export const serviceNames = [
  'metadata-server',
  'router-backup',
  'power-cycle-daemon',
  'alert-to-pubsub',
  'machine-state',
  'swarming-client',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Services on the jumphost, which read rack.yaml and its secrets. */
export const jumphostServices = serviceNames.filter((name) => name !== 'swarming-client');
export type JumphostService = (typeof jumphostServices)[number];

export const servicePorts: Record<ServiceName, { port: number; metricsPort: number }> = {
  'metadata-server': { port: 80, metricsPort: 20_010 },
  'router-backup': { port: 8003, metricsPort: 20_011 },
  'power-cycle-daemon': { port: 9210, metricsPort: 20_012 },
  'alert-to-pubsub': { port: 8001, metricsPort: 20_013 },
  'machine-state': { port: 8004, metricsPort: 20_015 },
  'swarming-client': { port: 11_001, metricsPort: 20_014 },
};

/** The namespace of kube/base that its pods are in. */
export function namespaceOf(service: ServiceName): 'skolo' | 'skolo-node' {
  return service === 'metadata-server' || service === 'swarming-client' ? 'skolo-node' : 'skolo';
}

/** The agent's endpoint for the bot's hooks, on loopback only. */
export const hookPort = 11_000;

/** The API server of k3s, and the kubelet. */
export const k3sPort = 6443;
export const kubeletPort = 10_250;

/** Node port of the power-cycle daemon, for agents on k3s nodes: the only one that the jumphost's firewall leaves open. */
export const agentsPort = 30_010;

/** node-exporter, on every node. */
export const nodePort = 9100;
