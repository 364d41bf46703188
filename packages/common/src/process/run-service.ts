import { readRack } from '@skolo/rack';
import { processMetrics } from '../health/metrics.ts';
import type { ServiceDefinition } from '../service.ts';
import { checkConfiguration } from './check-configuration.ts';
import { collectOnceIdle } from './collect-garbage.ts';
import { serviceFlags } from './flags.ts';
import { watchLoop } from './loop-lag.ts';
import { runProgram } from './run-program.ts';
import { startService } from './start-service.ts';
import { startWatchdog } from './watchdog.ts';

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
      if (problems.length > 0) return { good: false, text: problems.join('\n') };
      const notes = definition.notes?.(await readRack(rackFile, { strictFor: name })) ?? [];
      const text = [`${rackFile}: valid for ${name}`, ...notes.map((each) => `note: ${each}`)];
      return { good: true, text: text.join('\n') };
    },
    async start(flags, { log, signal }) {
      const metrics = processMetrics();
      if (definition.signsInTo !== undefined) startWatchdog(log);
      const options = { ...flags, log, metrics, signal, loopLag: watchLoop() };
      const running = await startService(definition, options);
      collectOnceIdle(startIsOverMs);
      return running;
    },
  });
}
