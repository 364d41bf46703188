/** `main.ts`, but it checks continuously what is due, so that a kill also hits snapshots and trims. */
import { runService } from '@skolo/common';
import { createAlertToPubsub } from '../service.ts';

await runService(createAlertToPubsub({ openEveryMs: 50, checkEveryMs: 20, shrinkEveryMs: 50 }));
