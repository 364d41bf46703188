import { withoutName } from '@skolo/base';
import type { RackReport } from '@skolo/fleet';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { interruptible, loadFleet } from '../../reach/racks.ts';

/** `skolo racks`: lists all racks, and whether each is reachable. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the racks in kube/clusters/config.json and their API server versions. If a rack is unreachable, the list shows why. The exit code is 3 if some racks are unreachable, and 1 if all of them are.',
    )
    .option('--offline', 'only read the list, without connecting')
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo racks');

  command.action(async ({ offline, json }: { offline?: true; json?: true }) => {
    const { io } = command;
    const { racks } = await loadFleet(command);
    const { surveyRacks } = await import('@skolo/fleet');
    const reports = offline
      ? racks.map((rack): RackReport => ({ rack }))
      : await interruptible(command, (signal) => surveyRacks(racks, { env: io.env, signal }));
    if (json) printJson(io, { racks: reports.map(asJson) });
    else printTable(io, offline ? offlineColumns : columns, reports);
    const failed = reports.filter(({ error }) => error !== undefined).length;
    if (failed > 0) failPartly(io, failed < reports.length);
  });
}

const offlineColumns: readonly Column<RackReport>[] = [
  { title: 'NAME', cell: ({ rack }) => rack.name },
  { title: 'TYPE', cell: ({ rack }) => rack.type },
  {
    title: 'WAVE',
    cell: ({ rack }) => (rack.canary ? `${rack.wave} (canary)` : `${rack.wave}`),
    leaveOut: 2,
  },
  { title: 'WAY', cell: wayOf, shrinkTo: 12, leaveOut: 1 },
  { title: 'NOTES', cell: ({ rack }) => rack.notes, shrinkTo: 10, leaveOut: 3 },
];

const columns: readonly Column<RackReport>[] = [
  ...offlineColumns.slice(0, 3),
  { title: 'VERSION', cell: ({ answer }) => answer },
  {
    title: 'REACHABLE',
    cell: ({ rack, error, answer }) =>
      error ? withoutName(error.message, rack.name) : answer === undefined ? undefined : 'yes',
    style: ({ error }) => (error === undefined ? undefined : 'red'),
    shrinkTo: 20,
  },
];

function wayOf({ rack }: RackReport): string {
  if (rack.type === 'gke') return `${rack.project}/${rack.zone}`;
  return rack.ways.map(({ host }) => host).join(', ');
}

function asJson({ rack, answer: version, error }: RackReport) {
  const { name, type, wave, canary, notes } = rack;
  return { name, type, wave, canary, notes, version, error: error?.message };
}
