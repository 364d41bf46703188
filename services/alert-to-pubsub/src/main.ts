import { runService } from '@skolo/common';
import { spareMemory } from './memory.ts';
import { createAlertToPubsub } from './service.ts';

spareMemory();
await runService(createAlertToPubsub());
