import { processMetrics } from '../health/metrics.ts';
import type { ServiceDefinition } from '../service.ts';
import { checkConfiguration } from './check-configuration.ts';
import { collectOnceIdle } from './collect-garbage.ts';
import { serviceFlags } from './flags.ts';
import { runProgram } from './run-program.ts';
import { startService } from './start-service.ts';

/** Memory used only at startup is freed then or when the process is idle: 20 of the metadata server's 103 MiB. */
const startIsOverMs = 10_000;

/** Runs a service as a process. */
export async function runService(definition: ServiceDefinition): Promise<void> {
  const { name } = definition;
  await runProgram({
    name,
    flags: serviceFlags(name),
    async check({ rackFile }) {
      const problems = await checkConfiguration(definition, rackFile);
      const good = problems.length === 0;
      return { good, text: good ? `${rackFile}: valid for ${name}` : problems.join('\n') };
    },
    async start(flags, { log, signal }) {
      const metrics = processMetrics();
      const running = await startService(definition, { ...flags, log, metrics, signal });
      collectOnceIdle(startIsOverMs);
      return running;
    },
  });
}
