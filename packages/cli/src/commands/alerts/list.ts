import type { KnownAlert } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { addFilters, type Filter, type FilterOptions, selected } from '../../filters.ts';
import { printJson } from '../../io.ts';
import { countOf, tally } from '../../output/overview.ts';
import { type Column, table } from '../../output/table.ts';
import { paragraph, plain } from '../../output/text.ts';
import { relative } from '../../output/time.ts';
import { alertToPubsub } from '../../reach/service-client.ts';
import { alertSummary, severityStyle, whichOf } from './message-line.ts';

interface Options extends FilterOptions {
  resolved?: true;
  json?: true;
}

const filters: Filter<KnownAlert>[] = [
  {
    name: 'alert',
    description: 'only alerts with these names',
    isOpen: true,
    of: ({ labels }) => labels.alertname,
  },
  {
    name: 'severity',
    description: 'only alerts of these severities',
    isOpen: true,
    of: ({ labels }) => labels.severity,
  },
];

/** Most severe first. Other severities, or none, rank between warning and info. */
const severities = ['critical', 'page', 'error', 'warning', 'info', 'none'];

/** `skolo alerts list`: alerts of the rack, as its service received them. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Lists the rack's firing alerts by severity, newest first, each with the first command to run. The list includes alerts that have not reached Pub/Sub yet.",
    )
    .summary('list firing alerts')
    .option('--resolved', 'include recently resolved alerts');
  addFilters(command, filters);
  command
    .option('--json', 'print JSON, including all labels and annotations')
    .example('skolo alerts list --rack racks/rack4/rack.yaml');

  command.action(async ({ resolved, json, ...options }: Options) => {
    const { alerts } = await alertToPubsub(command).ask((client) => client.alerts());
    const all = alerts.filter(({ status }) => resolved || status === 'firing').sort(byUrgency);
    const shown = selected(command.io, all, filters, options);
    if (json) return printJson(command.io, { alerts: shown });
    const totals = tally(shown.map(severityOf), severities);
    const number = countOf(shown.length, all.length, 'alert');
    const summary = totals === '' ? number : `${number}: ${totals}`;
    const text = table(columns, shown, command.io, firstCommandOf);
    command.io.out(`${paragraph(plain(summary), command.io.columns)}\n\n${text}`);
  });
}

/** Firing before resolved, then by severity, then newest first. */
function byUrgency(a: KnownAlert, b: KnownAlert): number {
  const isResolved = ({ status }: KnownAlert) => Number(status !== 'firing');
  return (
    isResolved(a) - isResolved(b) ||
    rankOf(a) - rankOf(b) ||
    Date.parse(b.startsAt) - Date.parse(a.startsAt)
  );
}

function rankOf({ labels }: KnownAlert): number {
  const rank = severities.indexOf(labels.severity ?? '');
  return rank < 0 ? severities.indexOf('warning') + 0.5 : rank;
}

function severityOf({ status, labels: { severity = 'without a severity' } }: KnownAlert): string {
  return status === 'firing' ? severity : 'resolved';
}

const columns: Column<KnownAlert>[] = [
  { title: 'ALERT', cell: ({ labels }) => labels.alertname, shrinkTo: 12 },
  { title: 'STATE', cell: stateOf, leaveOut: 3 },
  {
    title: 'SEVERITY',
    cell: ({ labels }) => labels.severity,
    style: ({ status, labels }) =>
      status === 'firing' ? severityStyle(labels.severity) : undefined,
    leaveOut: 4,
  },
  { title: 'OF', cell: ({ labels }) => whichOf(labels), shrinkTo: 12, leaveOut: 5 },
  { title: 'BEGAN', cell: ({ startsAt }, now) => relative(startsAt, now) },
  { title: 'RECEIVED', cell: ({ last }, now) => relative(last, now), leaveOut: 2 },
  { title: 'TIMES', cell: ({ count }) => count, leaveOut: 1 },
  { title: 'SUMMARY', cell: ({ annotations }) => alertSummary(annotations), shrinkTo: 16 },
];

/** Never shortened, so that it can be copied from any terminal. */
function firstCommandOf({ annotations, status }: KnownAlert): string[] {
  const { first_command: line } = annotations;
  return line === undefined || status !== 'firing' ? [] : [`  ${plain(line)}`];
}

function stateOf({ status, expired }: KnownAlert): string {
  return expired ? 'expired' : status;
}
