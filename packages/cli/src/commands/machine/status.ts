import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';

/** `skolo machine status`: what the agents of machines say, and which of them say nothing. */
export function addMachineStatus(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('status')
    .description(
      'Asks the agent on each machine: whether it may take tasks and why not, what its bot does, which task runs, how its phones are. Those that want somebody are on top. Ends with 3 when some do not answer, with 1 when none does.',
    )
    .summary('health, bot, task and phones of machines')
    .argument('[names...]', "only these; ranges in quotes: 'rpi-[001-040]'")
    .option('--json', 'print JSON, all that the agents say')
    .uses('rack', 'url')
    .example("skolo machine status 'skia-rpi2-rack4-shelf1-[001-010]'");

  command.action(async (words: string[], { json }: { json?: true }) => {
    const { agentPlaces } = await import('./agents.ts');
    const { askAgents } = await import('./ask-agents.ts');
    const places = await agentPlaces(io, command, words);
    const answers = await askAgents(places);
    const silent = answers.filter(({ status }) => status === undefined).length;
    if (silent > 0) {
      io.exitCode = silent < answers.length ? exitCodes.partlyFailed : exitCodes.failed;
    }
    if (json) return printJson(io, { machines: answers });
    if (answers.length === 0 && words.length > 0) return undefined;
    const { printStatus } = await import('./status-table.ts');
    return printStatus(io, answers);
  });
}
