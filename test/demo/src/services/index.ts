import { serviceNames } from '@skolo/rack';
import { alertToPubsub } from './alert-to-pubsub.ts';
import { machineState } from './machine-state.ts';
import { metadataServer } from './metadata-server.ts';
import { powerCycleDaemon } from './power-cycle-daemon.ts';
import { routerBackup } from './router-backup.ts';
import type { DemoService } from './service.ts';
import { swarmingClient } from './swarming-client.ts';

/** Those with commands to try; the console comes first. */
const known: readonly DemoService[] = [
  machineState,
  metadataServer,
  powerCycleDaemon,
  routerBackup,
  alertToPubsub,
  swarmingClient,
];
const others = serviceNames.filter((name) => !known.some((service) => service.name === name));

/** All services, in the order in which they are printed. */
export const services: readonly DemoService[] = [...known, ...others.map((name) => ({ name }))];
