import type { SkoloCommand } from '../../command.ts';
import { addFilters, type FilterOptions, isFiltered, selected } from '../../filters.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { powerFilters } from './power-verdict.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** `skolo power status`: what has power, what has not, and why. */
export function addPowerStatus(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('status')
    .description(
      'Machines, their phones and the devices: on which outlets they hang, whether these are on, how much they draw, whether the switch or PDU answers, what was done last, and what keeps it from being done again. Outlets are shown as they were read last. Totals come first, then problems with their reasons. In a terminal that is too low for all rows, the others are one line for each state; --state on lists them.',
    )
    .summary('what has power, and what was done last')
    .argument('[names...]', "only these; ranges in quotes: 'rpi-[001-040]'");
  addFilters(command, powerFilters);
  command
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo power status --shelf shelf1 --state off,stuck-off');

  command.action(async (words: string[], options: Options) => {
    const { powerCycleDaemon } = await import('./daemon.ts');
    const { bySubject, printStatus } = await import('./status-table.ts');
    const { namesOf } = await import('../../names.ts');
    const queries = words.length === 0 ? [{}] : inQueries((await namesOf(words)).names);
    const daemon = await powerCycleDaemon(command);
    const { complainOfNames } = await import('./request.ts');
    const answers = await daemon.ask((client) =>
      Promise.all(queries.map((query) => client.machines({ query }))).catch((error: unknown) =>
        complainOfNames(io, error),
      ),
    );
    if (answers === undefined) return undefined;
    const sorted = answers.flatMap(({ machines }) => machines).sort(bySubject);
    const shown = await selected(io, sorted, powerFilters, options);
    if (options.json) return printJson(io, { machines: shown });
    const isSelection = words.length > 0 || isFiltered(powerFilters, options);
    return printStatus(io, shown, { all: sorted.length, isSelection });
  });
}

/** A shell may have made hundreds of names of a pattern, and URLs are not endless. */
function inQueries(names: readonly string[]): { name: string[] }[] {
  const atOnce = 100;
  const parts = Array.from({ length: Math.ceil(names.length / atOnce) }, (_, i) => i * atOnce);
  return parts.map((start) => ({ name: names.slice(start, start + atOnce) }));
}
