/** All services that exist, in the order in which they are shown. */
import { alertToPubsub } from './alert-to-pubsub.ts';
import { metadataServer } from './metadata-server.ts';
import { powerCycleDaemon } from './power-cycle-daemon.ts';
import { routerBackup } from './router-backup.ts';
import type { DemoService } from './service.ts';
import { swarmingClient } from './swarming-client.ts';

export const services: readonly DemoService[] = [
  metadataServer,
  powerCycleDaemon,
  routerBackup,
  alertToPubsub,
  swarmingClient,
];
