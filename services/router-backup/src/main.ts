/** Starts the router backup, or, for `archive-jumphost`, archives the jumphost. */
import { runService } from '@skolo/common';
import { createRouterBackup } from './service.ts';

const [, , verb, ...args] = process.argv;
if (verb === 'archive-jumphost') {
  const { archiveAsProgram } = await import('./jumphost/program.ts');
  process.exitCode = await archiveAsProgram(args);
} else await runService(createRouterBackup());
