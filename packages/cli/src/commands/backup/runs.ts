import type { BackupRun } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { routerBackup } from '../../reach/service-client.ts';
import { tallyOfRun } from './backup-text.ts';
import { printRunEquipment, sortedEquipment } from './run-display.ts';
import { waitForRun } from './wait.ts';

interface Options {
  limit: number;
  wait?: true;
  json?: true;
}

/** `skolo backup runs`: lists runs and their results. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the latest runs with their origin and results, newest last. With an ID, it shows the equipment in that run.',
    )
    .summary('list backup runs, or show one')
    .argument('[id]', 'ID from `skolo backup run` or this list')
    .addOption(limitOption())
    .option(
      '--wait',
      'with an ID: wait until the run has finished; the exit codes are those of skolo backup run',
    )
    .option('--json', 'print JSON, including each result')
    .example('skolo backup runs --limit 5');

  command.action(async (id: string | undefined, { limit, wait, json }: Options) => {
    if (wait && id === undefined) command.error("option '--wait' requires an ID");
    const service = routerBackup(command);
    if (id !== undefined) {
      const run = await service.ask((client) => client.backup({ params: { id } }));
      if (wait) return waitForRun({ command, service, run, json: json ?? false });
      return json ? printJson(command.io, run) : printRun(command.io, run);
    }
    const { backups } = await service.ask((client) => client.backups({ query: { limit } }));
    const oldestFirst = backups.toReversed();
    if (json) return printJson(command.io, { backups: oldestFirst });
    return printTable(command.io, columns, oldestFirst);
  });
}

function printRun(io: Io, run: BackupRun): void {
  for (const equipment of sortedEquipment(run)) printRunEquipment(io, equipment);
  const took = tookText(run);
  const end = took === undefined ? 'running' : `took ${took}`;
  const why = run.reason === undefined ? '' : `: ${run.reason}`;
  io.out(`${tallyOfRun(run.equipment)}; ${end}`);
  io.err(`requested ${timestamp(run.requestedAt)} by ${run.by} (${run.origin})${why}`);
}

const columns: Column<BackupRun>[] = [
  { title: 'REQUESTED', cell: ({ requestedAt }) => timestamp(requestedAt) },
  { title: 'ORIGIN', cell: ({ origin }) => origin, leaveOut: 3 },
  { title: 'RESULT', cell: ({ equipment }) => tallyOfRun(equipment), shrinkTo: 24 },
  { title: 'TOOK', cell: (run) => tookText(run) ?? 'now', align: 'right', leaveOut: 2 },
  { title: 'BY', cell: ({ by }) => by, shrinkTo: 8, leaveOut: 4 },
  { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 12, leaveOut: 1 },
  { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 5 },
];

function tookText({ requestedAt, finishedAt }: BackupRun): string | undefined {
  if (finishedAt === undefined) return undefined;
  return duration((Date.parse(finishedAt) - Date.parse(requestedAt)) / 1000);
}
