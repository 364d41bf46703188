import { runService } from '@skolo/common';
import { keepYoungGeneration, spareMemory } from './memory.ts';
import { createAlertToPubsub } from './service.ts';

keepYoungGeneration();
await runService(createAlertToPubsub({ onBacklog: spareMemory }));
