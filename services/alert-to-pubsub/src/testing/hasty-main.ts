/** `main.ts`, but that it looks all the time at what is due: a kill meets snapshots and trims, too. */
import { runService } from '@skolo/common';
import { createAlertToPubsub } from '../service.ts';

await runService(createAlertToPubsub({ openEveryMs: 50, checkEveryMs: 20, shrinkEveryMs: 50 }));
