/** A real rack: the services with its file, at their usual ports; nothing is copied or simulated. */
import { defaultSettings, readRack } from '@skolo/rack';
import type { Output } from './output/output.ts';
import { runServices } from './processes/run-services.ts';
import { services } from './services/index.ts';

interface RealRackOptions {
  rackFile: string;
  cwd: string;
  output: Output;
  stop: AbortSignal;
  hurry: AbortSignal;
}

/**
 * Runs until it is stopped.
 *
 * @throws EndedAtOnce
 */
export async function runRealRack(options: RealRackOptions): Promise<void> {
  const { rackFile, output } = options;
  await runServices({
    ...options,
    // The agent belongs on its machine.
    planned: services
      .filter(({ machine }) => machine === undefined)
      .map(({ name }) => ({ name, flags: ['--rack', rackFile] })),
    async stopWithin(service) {
      const rack = await readRack(rackFile, { strictFor: service }).catch(() => undefined);
      // The default time while rack.yaml cannot be read.
      return (rack?.services ?? defaultSettings())[service].stopWithin;
    },
    onListening: async (ports) => {
      const where = [...ports].map(([name, port]) => `${name} at port ${port}`);
      output.line(`\n${rackFile} runs: ${where.join(', ')}. Ctrl-C ends it.\n`);
    },
  });
}
