/** All services, in the order in which they are printed. */
import { serviceNames } from '@skolo/rack';
import { alertToPubsub } from './alert-to-pubsub.ts';
import { machineState } from './machine-state.ts';
import { metadataServer } from './metadata-server.ts';
import { powerCycleDaemon } from './power-cycle-daemon.ts';
import { routerBackup } from './router-backup.ts';
import type { DemoService } from './service.ts';
import { swarmingClient } from './swarming-client.ts';

/** Those with commands to try. */
const known: readonly DemoService[] = [
  metadataServer,
  powerCycleDaemon,
  routerBackup,
  alertToPubsub,
  machineState,
  swarmingClient,
];

export const services: readonly DemoService[] = serviceNames.map(
  (name) => known.find((service) => service.name === name) ?? { name },
);
