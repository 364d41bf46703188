import { ApiError } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { powerCycleDaemon } from '../../service-client.ts';
import { openCycles } from './request.ts';

/** `skolo power cancel`: what has not begun is not done. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Cancels cycles that have not begun. One that has begun is finished: its power would stay off otherwise.',
    )
    .summary('cancel what has not begun')
    .argument('<ids or names...>', 'the ids of cycles, or what they are for')
    .option('--reason <text>', 'for the audit log')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo power cancel skia-rpi2-rack4-shelf1-007');

  command.action(async (words: string[], { reason }: { reason?: string }) => {
    const daemon = await powerCycleDaemon(command);
    const { cycles, unknown } = await openCycles(daemon, words);
    for (const word of unknown) complain(io, `${word}: no cycle of it is queued or under way`);
    let cancelled = 0;
    for (const { id, target } of cycles) {
      const query = reason === undefined ? {} : { why: reason };
      try {
        await daemon.ask((client) => client.cancelCycle({ params: { id }, query }));
        io.err(`cycle ${shortId(id)} of ${target} is cancelled`);
        cancelled++;
      } catch (error) {
        // One that has begun in the meantime does not keep the others from being cancelled.
        if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
        complain(io, `${target}: ${error.problem.detail}`);
      }
    }
    if (cancelled < cycles.length + unknown.length) failPartly(io, cancelled > 0);
  });
}
