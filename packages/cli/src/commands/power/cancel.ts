import { ApiError } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { reasonFor } from '../../reason.ts';
import { openCycles } from './request.ts';

/** `skolo power cancel`: cancels queued cycles. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Cancels queued cycles. A cycle that has started cannot be cancelled, because the power might then stay off.',
    )
    .summary('cancel queued cycles')
    .argument('<ids or names...>', 'cycle IDs or targets')
    .addOption(reasonFor('cancel', 'reason to record in the audit log'))
    .example('skolo power cancel skia-rpi2-rack4-shelf1-007');

  command.action(async (words: string[], { reason }: { reason?: string }) => {
    const daemon = powerCycleDaemon(command);
    const { cycles, unknown } = await openCycles(daemon, words);
    for (const word of unknown) complain(command.io, `${word} has no queued or running cycle`);
    let cancelled = 0;
    for (const { id, target } of cycles) {
      const query = { why: reason };
      try {
        await daemon.ask((client) => client.cancelCycle({ params: { id }, query }));
        command.io.err(`cycle ${shortId(id)} of ${target}: cancelled`);
        cancelled++;
      } catch (error) {
        // A cycle may have started in the meantime. The others are still cancelled.
        if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
        complain(command.io, `${target}: ${error.problem.detail}`);
      }
    }
    if (cancelled < cycles.length + unknown.length) failPartly(command.io, cancelled > 0);
  });
}
