/** `skolo power hold` and `release`: holds block cycles during a repair. */

import type { Hold } from '@skolo/api';
import { isIdOf, shortId } from '@skolo/api/ids';
import { type EndOptions, endOf, forOption, untilOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { expandedNames, namesOf } from '../../names.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { reasonFor } from '../../reason.ts';
import { askAboutNames } from './request.ts';

interface HoldOptions extends EndOptions {
  reason: string;
  json?: true;
}

/** `skolo power hold`: blocks cycles during a repair. */
export function hold(command: SkoloCommand): void {
  command
    .description(
      'Blocks power cycles by others during a repair. You can hold machines, phones, a switch or PDU with everything that it powers, or the whole rack (by its name). Without --until or --for, a hold ends after 24 hours, unless rack.yaml sets a different time.',
    )
    .summary('block power cycles during a repair')
    .argument(
      '<names...>',
      "machines, phones, equipment or the rack; quote ranges: 'rpi-[001-040]'",
    )
    .addOption(reasonFor('hold', 'reason for the hold, such as a repair'))
    .addOption(untilOption('when the hold ends'))
    .addOption(forOption('how long the hold lasts'))
    .option('--json', 'print JSON')
    .example("skolo power hold switch-1 --for 2h --reason 'new fan'");

  command.action(async (words: string[], { reason, json, ...end }: HoldOptions) => {
    const until = endOf(command, end);
    const { names: targets } = namesOf(words);
    const daemon = powerCycleDaemon(command);
    const body = { targets, reason, until };
    const answer = await askAboutNames(command.io, daemon, (client) => client.hold({ body }));
    if (answer === undefined) return;
    if (json) return printJson(command.io, answer);
    return printHolds(command.io, answer.holds);
  });
}

/** `skolo power release`: ends holds. */
export function release(command: SkoloCommand): void {
  command
    .description(
      'Ends holds early. If you specify a target, all holds on that target end, except those of jobs, whose IDs you can specify.',
    )
    .summary('end holds early')
    .argument('<names or ids...>', 'held targets or hold IDs')
    .addOption(reasonFor('release', 'reason to record in the audit log'))
    .example('skolo power release switch-1');

  command.action(async (words: string[], { reason }: { reason?: string }) => {
    const wanted = expandedNames(words);
    const daemon = powerCycleDaemon(command);
    const { holds } = await daemon.ask((client) => client.holds());
    const found = new Set<Hold>();
    let unknown = 0;
    for (const word of wanted) {
      // Jobs end with their scheduler; somebody who means one names its ID.
      const meant = holds.filter(
        ({ id, kind, target }) => isIdOf(id, word) || (target === word && kind !== 'busy'),
      );
      for (const hold of meant) found.add(hold);
      if (meant.length > 0) continue;
      complain(
        command.io,
        `${word}: no hold has this target or ID; to list holds, run skolo power holds`,
      );
      unknown++;
    }
    const query = { why: reason };
    for (const { id, target, by, reason: why } of found) {
      await daemon.ask((client) => client.release({ params: { id }, query }));
      command.io.err(`${target}: released; it was held by ${by}: ${why}`);
    }
    if (unknown > 0) failPartly(command.io, found.size > 0);
  });
}

/** `skolo power holds`: lists holds. */
export function holds(command: SkoloCommand): void {
  command
    .description(
      'Lists holds with their kind, target, owner, end and reason. You cannot power-cycle targets that are out of service, unless you set the hold yourself. If somebody else is on it, you need --alongside; if a job is running there (busy), --force. An overdue job began more than 24 hours ago.',
    )
    .summary('list holds')
    .option('--json', 'print JSON')
    .example('skolo power holds --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const { holds } = await powerCycleDaemon(command).ask((client) => client.holds());
    if (json) return printJson(command.io, { holds });
    return printHolds(command.io, holds);
  });
}

/** The hold that ends last is at the bottom. */
function printHolds(io: Io, holds: readonly Hold[]): void {
  const sorted = holds.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  printTable(io, columns, sorted);
}

const columns: Column<Hold>[] = [
  { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 2 },
  { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
  { title: 'KIND', cell: ({ kind, overdue }) => (overdue ? `${kind}, overdue` : kind) },
  { title: 'UNTIL', cell: ({ until }) => timestamp(until), leaveOut: 1 },
  { title: 'LEFT', cell: ({ until }, now) => duration((Date.parse(until) - now) / 1000) },
  { title: 'BY', cell: ({ by }) => by, shrinkTo: 8 },
  { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 16 },
];
