import type { DeadLetter } from '@skolo/api';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { upTo } from '../../limit.ts';
import { printJson } from '../../output/json.ts';
import { type Column, printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';

interface Options {
  limit: number;
  json?: true;
}

/** `skolo alerts dead-letters`: what was handed in and is no alert, and what a sink will never take. */
export function addAlertsDeadLetters(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('dead-letters')
    .description(
      'What was handed in and is no alert, and what a sink will never take: when, from where, why. The newest is at the bottom.',
    )
    .summary('what was no alert, or will never be taken')
    .addOption(new Option('--limit <n>', 'how many, the newest').argParser(upTo(1000)).default(20))
    .option('--json', 'print JSON, with what was found')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo alerts dead-letters --json');

  command.action(async ({ limit, json }: Options) => {
    const { alertToPubsub } = await import('./service.ts');
    const service = await alertToPubsub(command);
    const { deadLetters } = await service.ask((client) => client.deadLetters({ query: { limit } }));
    const oldestFirst = deadLetters.toReversed();
    if (json) printJson(io, { deadLetters: oldestFirst });
    else printTable(io, columns, oldestFirst);
  });
}

const columns: Column<DeadLetter>[] = [
  { title: 'WHEN', cell: ({ at }) => timestamp(new Date(at)) },
  { title: 'FROM', cell: ({ from }) => from },
  { title: 'WHY', cell: ({ why }) => why, shrinkTo: 24 },
  { title: 'FOUND', cell: ({ found }) => foundText(found), shrinkTo: 12, leaveOut: 1 },
];

const longest = 60;

/** The beginning of it, to know it again; --json has all. */
function foundText(found: unknown): string {
  const text = typeof found === 'string' ? found : (JSON.stringify(found) ?? '');
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
