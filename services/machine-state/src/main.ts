/** Starts machine-state. */
import { runService } from '@skolo/common';
import { createMachineState } from './service.ts';

await runService(createMachineState());
