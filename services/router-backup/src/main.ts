import { runService } from '@skolo/common';
import { createRouterBackup } from './service.ts';

await runService(createRouterBackup());
