import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import {
  addFilters,
  checkValues,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import type { AgentPlace } from './agents.ts';
import type { Answer } from './ask-agents.ts';
import { verdictOf, verdicts } from './machine-words.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** From rack.yaml: other agents are not asked. */
const placeFilters: Filter<AgentPlace>[] = [
  { name: 'shelf', description: 'only these shelves', of: ({ machine }) => machine?.shelf },
  { name: 'kind', description: 'only these kinds of machines', of: ({ machine }) => machine?.kind },
];

const answerFilters: Filter<Answer>[] = [
  { name: 'verdict', description: 'only these verdicts', values: verdicts, of: verdictOf },
];

/** `skolo machine status`: what the agents of machines say, and which of them say nothing. */
export function addMachineStatus(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('status')
    .description(
      'Asks the agent on each machine: whether it may take tasks and why not, what its bot does, which task runs, how its phones are. Totals come first, then problems with their reasons. In a terminal that is too low for all rows, healthy machines are one line; --verdict ok lists them. Ends with 3 when some do not answer, with 1 when none does.',
    )
    .summary('health, bot, task and phones of machines')
    .argument('[names...]', "only these; ranges in quotes: 'rpi-[001-040]'");
  addFilters(command, placeFilters);
  addFilters(command, answerFilters);
  command
    .option('--json', 'print JSON, all that the agents say')
    .uses('rack', 'url')
    .example('skolo machine status --shelf shelf1 --verdict quarantined,no-answer');

  command.action(async (words: string[], options: Options) => {
    if (command.globals().url !== undefined && isFiltered(placeFilters, options)) {
      command.error("'--shelf' and '--kind' need rack.yaml; they have no effect with '--url'");
    }
    await checkValues(answerFilters, options);
    const { agentPlaces } = await import('./agents.ts');
    const { askAgents } = await import('./ask-agents.ts');
    const places = await agentPlaces(io, command, words);
    const wanted = await selected(io, places, placeFilters, options);
    const answers = await askAgents(wanted);
    // Before the filter: an agent that does not answer may have any verdict.
    const silent = answers.filter(({ status }) => status === undefined).length;
    if (silent > 0) {
      io.exitCode = silent < answers.length ? exitCodes.partlyFailed : exitCodes.failed;
    }
    const shown = await selected(io, answers, answerFilters, options);
    if (options.json) return printJson(io, { machines: shown });
    if (places.length === 0 && words.length > 0) return undefined;
    const { printStatus } = await import('./status-table.ts');
    const isSelection =
      words.length > 0 || isFiltered(placeFilters, options) || isFiltered(answerFilters, options);
    return printStatus(io, shown, { all: places.length, isSelection });
  });
}
