import { runPipeline } from '@skolo/fleet/testbed';
import { timeOption } from '../../../arguments.ts';
import type { SkoloCommand } from '../../../command.ts';
import { plain } from '../../../output/text.ts';
import { type ClusterOptions, clusterOption, openTestbed, pollMs } from './open-testbed.ts';

interface Options extends ClusterOptions {
  within: number;
}

/** `skolo pi testbed run`: runs the pipeline once. */
export function defineRun(command: SkoloCommand): void {
  command
    .description(
      'Runs the pipeline once: builds the demo for arm64 and arm/v7, deploys it, measures it at increasing request rates, and publishes an analysis with plots. The command prints each step, and the analysis or the last lines of a failed step. If you interrupt the command, the run continues in the cluster. Exit codes: 0 all steps succeeded and the demo meets its objective; 1 a step failed or the objective was missed.',
    )
    .summary('build, deploy and measure the demo')
    .addOption(clusterOption())
    .addOption(timeOption('--within <time>', 'time limit for the run', '1h'))
    .uses('clusters')
    .example('skolo pi testbed run --cluster pis');

  command.interruptible(async (signal, options: Options) => {
    const { io } = command;
    const open = await openTestbed(command, options, signal);
    const name = runName(io.now());
    const { report, url } = await runPipeline(open, {
      name,
      withinMs: options.within,
      pollMs,
      signal,
      report: (text) => io.out(plain(text)),
    });
    for (const line of report?.trimEnd().split('\n') ?? []) io.out(plain(line));
    io.out(plain(`plots: ${url}`));
  });
}

/** `run-20261122-150405`, UTC. */
function runName(now: number): string {
  const time = new Date(now).toISOString();
  return `run-${time.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
}
