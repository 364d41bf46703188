import { setFlagsFromString } from 'node:v8';
import { runService } from '@skolo/common';
import { createAlertToPubsub } from './service.ts';

// Measured (README): while a backlog is sent, V8 would let the heap grow to 290 MB of RAM, with these to 130 MB, for a
// third more of the processor. A jumphost has other things to do with its memory.
setFlagsFromString('--heap-growing-percent=30');
setFlagsFromString('--semi-space-growth-factor=1');

await runService(createAlertToPubsub());
