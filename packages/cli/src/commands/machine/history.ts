/** `skolo machine history`: changes, repairs and tasks of machines, which machine-state remembers. */

import { HistoryEntry, type MachineDowntime } from '@skolo/api';
import { count } from '@skolo/base';
import { InvalidArgumentError, Option } from 'commander';
import { limitOption, longSpan, moment, upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration } from '../../output/time.ts';
import { machineState } from '../../reach/service-client.ts';
import { cell } from './agent-text.ts';
import { historyColumns } from './history-text.ts';

interface Options {
  from?: Date | number;
  kind?: string;
  limit: number;
  json?: true;
}

const kinds = HistoryEntry.options.map(({ shape }) => shape.kind.value);

/** `skolo machine history`: what happened to a machine. */
export function history(command: SkoloCommand): void {
  command
    .description(
      `Lists the events of a machine and its phones in the last day, or since --from, newest last. Events are kept for 90 days, unless rack.yaml sets historyDays.`,
    )
    .summary("list a machine's events")
    .argument('<name>', 'machine name')
    .addOption(
      new Option('--from <time>', 'start: 7d, or 2026-11-20T18:00Z (default: a day ago)').argParser(
        beginning,
      ),
    )
    .addOption(kindOption())
    .addOption(limitOption().default(100))
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine history skia-rpi2-rack4-shelf1-007 --from 7d --kind condition,note');

  command.action(async (name: string, { from, kind, limit, json }: Options) => {
    const { io } = command;
    const begin = typeof from === 'number' ? new Date(io.now() - from) : from;
    const query = { from: begin?.toISOString(), kind, limit };
    const answer = await machineState(command).ask((client) =>
      client.history({ params: { name }, query }),
    );
    const oldestFirst = answer.entries.toReversed();
    if (json) return printJson(io, { entries: oldestFirst, truncated: answer.truncated });
    if (answer.truncated) io.err('older events are not shown; use --limit to see more');
    return printTable(io, historyColumns, oldestFirst);
  });
}

/** `7d`, or a day and a time. */
function beginning(text: string): Date | number {
  return /^\d+(\.\d+)?[mhdw]$/.test(text) ? longSpan(text) : moment(text);
}

function kindOption(): Option {
  const option = new Option('--kind <kind>', 'show only events of these kinds').argParser(kindsOf);
  option.argChoices = kinds;
  return option;
}

function kindsOf(text: string): string {
  const unknown = text.split(',').find((each) => !kinds.some((kind) => kind === each));
  if (unknown === undefined) return text;
  throw new InvalidArgumentError(`"${unknown}" is not one of ${kinds.join(', ')}`);
}

/** `skolo machine downtime`: machines that lost the most time to faults. */
export function downtime(command: SkoloCommand): void {
  command
    .description(
      'Lists the machines with the most downtime due to faults, with the number of faults and the most frequent reasons. Maintenance, ordered quarantines, updates and planned reboots are not counted.',
    )
    .summary('list machines by downtime, highest first')
    .addOption(new Option('--days <n>', 'number of past days').argParser(upTo(90)).default(30))
    .addOption(limitOption())
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine downtime --days 30');

  command.action(async ({ days, limit, json }: { days: number; limit: number; json?: true }) => {
    const service = machineState(command);
    const { machines } = await service.ask((client) => client.downtime({ query: { days, limit } }));
    if (json) return printJson(command.io, { machines });
    return printTable(command.io, downtimeColumns, machines);
  });
}

const mostCodes = 4;

const downtimeColumns: Column<MachineDowntime>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 20 },
  { title: 'LOST', cell: ({ seconds }) => duration(seconds), align: 'right' },
  { title: 'FAULTS', cell: ({ times }) => times },
  {
    title: 'REASONS',
    cell: ({ codes }) =>
      codes.slice(0, mostCodes).map(({ code, times }) => `${cell(code)} (${count(times, 'time')})`),
    shrinkTo: 16,
  },
];
