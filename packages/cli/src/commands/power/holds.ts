import type { Hold } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../service-client.ts';

/** `skolo power holds`: lists holds. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists holds: the target, who holds it, until when and why. A held target cannot be cycled.',
    )
    .summary('list holds')
    .option('--json', 'print JSON')
    .example('skolo power holds --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const daemon = await powerCycleDaemon(command);
    const { holds } = await daemon.ask((client) => client.holds());
    if (json) return printJson(command.io, { holds });
    return printHolds(command.io, holds);
  });
}

/** The hold that ends last is at the bottom. */
export function printHolds(io: Io, holds: readonly Hold[]): void {
  const sorted = holds.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  printTable(io, columns(io.now()), sorted);
}

function columns(now: number): Column<Hold>[] {
  return [
    { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 2 },
    { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
    { title: 'UNTIL', cell: ({ until }) => timestamp(until), leaveOut: 1 },
    { title: 'LEFT', cell: ({ until }) => duration((Date.parse(until) - now) / 1000) },
    { title: 'BY', cell: ({ by }) => by, shrinkTo: 8 },
    { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 16 },
  ];
}
