import type { SkoloCommand } from '../../command.ts';
import { CliError, complain } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** `skolo power follow`: waits for cycles that somebody asked for before. */
export function addPowerFollow(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('follow')
    .description(
      'Waits for cycles that are queued or under way, and shows each step. Ctrl-C ends the waiting, not the cycles. Ends with 0 when all went well, with 3 when some did, with 1 when none did.',
    )
    .summary('wait for cycles that were asked for before')
    .argument('<names or ids...>', 'what is being cycled, or the ids of cycles')
    .option('--json', 'print JSON, when all are over')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo power follow 'skia-rpi2-rack4-shelf1-[001-010]'");

  command.action(async (words: string[], { json = false }: { json?: boolean }) => {
    const { powerCycleDaemon } = await import('./daemon.ts');
    const { openCycles } = await import('./open-cycles.ts');
    const { folded } = await import('../../names.ts');
    const daemon = await powerCycleDaemon(command);
    const { cycles, unknown } = await openCycles(daemon, words);
    if (unknown.length > 0) {
      const names = await folded(unknown);
      const message = `${names}: nothing is queued or under way there; skolo power log shows what was`;
      if (cycles.length === 0) throw new CliError(message);
      complain(io, message);
    }
    const { waitForCycles } = await import('./wait.ts');
    await waitForCycles({ io, command, daemon, asked: cycles, refused: unknown, json });
  });
}
