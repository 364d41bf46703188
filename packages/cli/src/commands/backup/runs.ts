import type { BackupRun } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { upTo } from '../../limit.ts';
import { printJson } from '../../output/json.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';

interface Options {
  limit: number;
  wait?: true;
  json?: true;
}

/** `skolo backup runs`: when devices were backed up, who asked, and what came of it. */
export function addBackupRuns(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('runs')
    .description(
      'The last runs: what began them, and what came of them. The newest is at the bottom; one under way is there, too. With an id: that run, device by device.',
    )
    .summary('the last runs, or one of them')
    .argument('[id]', 'that `skolo backup run` and this list print')
    .addOption(new Option('--limit <n>', 'how many, the newest').argParser(upTo(1000)).default(20))
    .option('--wait', 'with an id: follow it until it is over; exit codes as of skolo backup run')
    .option('--json', 'print JSON, each device included')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo backup runs --limit 5');

  command.action(async (id: string | undefined, { limit, wait, json }: Options) => {
    if (wait && id === undefined) command.error("option '--wait' has no effect without an id");
    const { routerBackup } = await import('./service.ts');
    const service = await routerBackup(command);
    if (id !== undefined) {
      const run = await service.ask((client) => client.backup({ params: { id } }));
      if (wait) {
        const { waitForRun } = await import('./wait.ts');
        return waitForRun({ io, command, service, run, json: json ?? false });
      }
      return json ? printJson(io, run) : printRun(io, run);
    }
    const { backups } = await service.ask((client) => client.backups({ query: { limit } }));
    const oldestFirst = backups.toReversed();
    if (json) return printJson(io, { backups: oldestFirst });
    const { tallyOfRun } = await import('./backup-words.ts');
    return printTable(io, columns(tallyOfRun), oldestFirst);
  });
}

async function printRun(io: Io, run: BackupRun): Promise<void> {
  const { printRunDevice, sortedDevices } = await import('./run-lines.ts');
  const { tallyOfRun } = await import('./backup-words.ts');
  for (const device of sortedDevices(run)) printRunDevice(io, device);
  const took = tookText(run);
  const end = took === undefined ? 'not over yet' : `took ${took}`;
  const why = run.reason === undefined ? '' : `: ${run.reason}`;
  io.out(`${tallyOfRun(run.devices)}; ${end}`);
  io.err(`asked ${timestamp(new Date(run.requestedAt))} by ${run.by} (${run.origin})${why}`);
}

function columns(tally: (devices: BackupRun['devices']) => string): Column<BackupRun>[] {
  return [
    { title: 'ASKED', cell: ({ requestedAt }) => timestamp(new Date(requestedAt)) },
    { title: 'ORIGIN', cell: ({ origin }) => origin, leaveOut: 3 },
    { title: 'RESULT', cell: ({ devices }) => tally(devices), shrinkTo: 24 },
    { title: 'TOOK', cell: (run) => tookText(run) ?? 'now', align: 'right', leaveOut: 2 },
    { title: 'BY', cell: ({ by }) => by, shrinkTo: 8, leaveOut: 4 },
    { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 12, leaveOut: 1 },
    { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 5 },
  ];
}

function tookText({ requestedAt, finishedAt }: BackupRun): string | undefined {
  if (finishedAt === undefined) return undefined;
  return duration((Date.parse(finishedAt) - Date.parse(requestedAt)) / 1000);
}
