import type { KnownAlert } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { type Column, printTable } from '../../output/table.ts';
import { relative } from '../../output/time.ts';
import { alertSummary, severityStyle, whichOf } from './alert-words.ts';

interface Options {
  resolved?: true;
  json?: true;
}

/** `skolo alerts list`: what fires in the rack, as its own service knows it. */
export function addAlertsList(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('list')
    .description(
      'What fires in the rack, as its own service knows it, whether it has reached Pub/Sub yet or not. The newest is at the bottom.',
    )
    .summary('what fires in the rack')
    .option('--resolved', 'also what was resolved a short time ago')
    .option('--json', 'print JSON, all labels and annotations included')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo alerts list --rack racks/rack4/rack.yaml');

  command.action(async ({ resolved, json }: Options) => {
    const { alertToPubsub } = await import('./service.ts');
    const service = await alertToPubsub(command);
    const { alerts } = await service.ask((client) => client.alerts());
    const shown = alerts
      .filter(({ status }) => resolved || status === 'firing')
      .sort((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt));
    if (json) printJson(io, { alerts: shown });
    else printTable(io, columns(io.now()), shown);
  });
}

function columns(now: number): Column<KnownAlert>[] {
  return [
    { title: 'ALERT', cell: ({ labels }) => labels.alertname, shrinkTo: 12 },
    { title: 'STATE', cell: stateOf },
    {
      title: 'SEVERITY',
      cell: ({ labels }) => labels.severity,
      style: ({ status, labels }) =>
        status === 'firing' ? severityStyle(labels.severity) : undefined,
      leaveOut: 4,
    },
    { title: 'OF', cell: ({ labels }) => whichOf(labels), shrinkTo: 12, leaveOut: 5 },
    { title: 'BEGAN', cell: ({ startsAt }) => relative(Date.parse(startsAt), now) },
    { title: 'HEARD', cell: ({ last }) => relative(Date.parse(last), now), leaveOut: 2 },
    { title: 'TIMES', cell: ({ count }) => String(count), align: 'right', leaveOut: 1 },
    { title: 'SUMMARY', cell: ({ annotations }) => alertSummary(annotations), shrinkTo: 16 },
  ];
}

function stateOf({ status, expired }: KnownAlert): string {
  return expired ? 'expired' : status;
}
