/** Starts the power-cycle daemon. */
import { runService } from '@skolo/common';
import { createPowerCycleDaemon } from './service.ts';

await runService(createPowerCycleDaemon());
