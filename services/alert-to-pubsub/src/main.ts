/** Starts alert-to-pubsub. */
import { runService } from '@skolo/common';
import { createAlertToPubsub } from './service.ts';

await runService(createAlertToPubsub());
