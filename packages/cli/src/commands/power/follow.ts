import type { PowerCycle } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { lastCycle, openCycles } from './request.ts';
import { waitForCycles } from './wait.ts';

/** `skolo power follow`: waits for cycles that were requested earlier. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Follows queued and running cycles step by step until they finish; for other targets, it shows the last outcome. Ctrl-C does not stop the cycles. Exit codes: 0 all succeeded, 3 some failed, 1 all failed.',
    )
    .summary('wait for running cycles')
    .argument('<names or ids...>', 'targets or cycle IDs')
    .option('--json', 'print JSON when all have finished')
    .example("skolo power follow 'skia-rpi2-rack4-shelf1-[001-010]'");

  command.action(async (words: string[], { json = false }: { json?: boolean }) => {
    const daemon = powerCycleDaemon(command);
    const { cycles, unknown: notOpen } = await openCycles(daemon, words);
    const unknown: string[] = [];
    const over: PowerCycle[] = [];
    for (const word of notOpen) {
      const last = await lastCycle(daemon, word);
      if ('why' in last) {
        complain(command.io, last.why);
        unknown.push(word);
      } else if (!cycles.some(({ id }) => id === last.id)) {
        cycles.push(last);
        if (last.finishedAt !== undefined) {
          over.push(last);
          const ended = timestamp(last.finishedAt);
          command.io.err(
            `${last.target} has no queued or running cycle; the last one ended ${ended}`,
          );
        }
      }
    }
    if (cycles.length === 0) {
      command.io.exitCode = exitCodes.failed;
      return;
    }
    await waitForCycles({ command, daemon, asked: cycles, over, rejected: unknown, json });
  });
}
