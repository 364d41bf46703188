/** Names of the services, and the ports of each where nothing else is said (design, section 3). */
export const serviceNames = [
  'metadata-server',
  'router-backup',
  'power-cycle-daemon',
  'alert-to-pubsub',
  'swarming-client',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Services of the jumphost. They read rack.yaml, and secrets with it. */
export const jumphostServices = serviceNames.filter((name) => name !== 'swarming-client');
export type JumphostService = (typeof jumphostServices)[number];

export const servicePorts: Record<ServiceName, { port: number; metricsPort: number }> = {
  'metadata-server': { port: 80, metricsPort: 20_010 },
  'router-backup': { port: 8003, metricsPort: 20_011 },
  'power-cycle-daemon': { port: 9210, metricsPort: 20_012 },
  'alert-to-pubsub': { port: 8001, metricsPort: 20_013 },
  'swarming-client': { port: 11_001, metricsPort: 20_014 },
};

/** The agent's endpoint for the bot's hooks, on loopback only. */
export const hookPort = 11_000;
