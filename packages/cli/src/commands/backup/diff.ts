import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { type Style, styled, visible } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { oneName } from './equipment-names.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';

interface Options extends ReaderOptions {
  secrets?: true;
  json?: true;
}

/** `skolo backup diff`: changes between two versions. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints a unified diff of two versions of a configuration, by default the newest version and the previous one. Secrets are masked; different secrets have different masks.',
    )
    .summary('show the changes between two versions')
    .argument('<equipment>', 'name in rack.yaml')
    .argument('[from]', 'older version: latest~3, an ID, a date or a time', 'latest~1')
    .argument('[to]', 'newer version', 'latest')
    .option('--secrets', 'show secrets')
    .option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup diff router 2026-11-12 latest');

  command.action(async (word: string, from: string, to: string, options: Options) => {
    const equipment = oneName(word);
    const difference = await withReader(command, options, (reader) =>
      reader.diff(equipment, { from, to }, options.secrets ?? false),
    );
    if (options.json) return printJson(command.io, difference);
    if (difference.diff !== '') return printDiff(command.io, difference.diff);
    const times = [difference.from, difference.to].map(({ time }) => timestamp(time));
    command.io.err(`${equipment}: no differences between ${times.join(' and ')}`);
  });
}

/** Prints a unified diff, coloured and without control characters in a terminal. */
export function printDiff(
  io: Pick<Io, 'out' | 'raw' | 'isTerminal' | 'colour'>,
  diff: string,
): void {
  const text = diff.replace(/\n$/, '');
  if (!io.isTerminal) {
    void io.raw(`${text}\n`);
    return;
  }
  const lines = visible(text).split('\n');
  io.out(lines.map((line) => styled(line, styleOf(line), io.colour)).join('\n'));
}

function styleOf(line: string): Style | undefined {
  if (/^(---|\+\+\+|===|diff |Index: )/.test(line)) return 'bold';
  if (line.startsWith('@@')) return 'dim';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : undefined;
}
