import type { KnownAlert } from '@skolo/api';
import { list } from '../../output/list.ts';
import { tally } from '../../output/overview.ts';
import { plain } from '../../output/text.ts';
import { relative } from '../../output/time.ts';
import { alertToPubsub } from '../../reach/service-client.ts';
import { alertSummary, severityStyle, whichOf } from './message-line.ts';

interface Row {
  name: string;
  alert: KnownAlert;
}

/** Most severe first. Other severities, or none, rank between warning and info. */
const severities = ['critical', 'page', 'error', 'warning', 'info', 'none'];

/** `skolo alerts list`: alerts of the rack, as its service received them. */
export const define = list<Row, { resolved?: true }>({
  description:
    "Lists the rack's firing alerts by severity, newest first, each with the first command to run. The list includes alerts that have not reached Pub/Sub yet.",
  summary: 'list firing alerts',
  example: 'skolo alerts list --rack racks/rack4/rack.yaml',
  options: (command) => command.option('--resolved', 'include recently resolved alerts'),
  filters: [
    {
      name: 'alert',
      description: 'only alerts with these names',
      isOpen: true,
      of: ({ name }) => name,
    },
    {
      name: 'severity',
      description: 'only alerts of these severities',
      isOpen: true,
      of: ({ alert }) => alert.labels.severity,
    },
  ],
  json: 'print JSON, including all labels and annotations',
  async find({ command, options }) {
    const { alerts } = await alertToPubsub(command).ask((client) => client.alerts());
    const rows = alerts
      .filter(({ status }) => options.resolved || status === 'firing')
      .map((alert) => ({ name: alert.labels.alertname ?? '', alert }));
    return {
      // The newest first.
      rows: rows.sort(
        (a, b) => rank(a) - rank(b) || Date.parse(b.alert.startsAt) - Date.parse(a.alert.startsAt),
      ),
      json: (shown) => ({ alerts: shown.map(({ alert }) => alert) }),
    };
  },
  noun: 'alert',
  verdict,
  verdicts: severities,
  rank,
  totals: (rows) => tally(rows.map(verdict), severities),
  // Never shortened, so that it can be copied from any terminal.
  below: ({ alert: { annotations, status } }) => {
    const { first_command: line } = annotations;
    return line === undefined || status !== 'firing' ? [] : [`  ${plain(line)}`];
  },
  isGood: (row) => ['info', 'none', 'resolved'].includes(verdict(row)),
  isFoldable: () => false,
  columns: [
    { title: 'ALERT', cell: ({ alert: { labels } }) => labels.alertname, shrinkTo: 12 },
    {
      title: 'STATE',
      cell: ({ alert: { status, expired } }) => (expired ? 'expired' : status),
      leaveOut: 3,
    },
    {
      title: 'SEVERITY',
      cell: ({ alert: { labels } }) => labels.severity,
      style: ({ alert: { status, labels } }) =>
        status === 'firing' ? severityStyle(labels.severity) : undefined,
      leaveOut: 4,
    },
    { title: 'OF', cell: ({ alert: { labels } }) => whichOf(labels), shrinkTo: 12, leaveOut: 5 },
    { title: 'BEGAN', cell: ({ alert: { startsAt } }, now) => relative(startsAt, now) },
    { title: 'RECEIVED', cell: ({ alert: { last } }, now) => relative(last, now), leaveOut: 2 },
    { title: 'TIMES', cell: ({ alert: { count } }) => count, leaveOut: 1 },
    {
      title: 'SUMMARY',
      cell: ({ alert: { annotations } }) => alertSummary(annotations),
      shrinkTo: 16,
    },
  ],
});

/** Firing before resolved, then by severity. */
function rank({ alert: { status, labels } }: Row): number {
  const known = severities.indexOf(labels.severity ?? '');
  const severity = known < 0 ? severities.indexOf('warning') + 0.5 : known;
  return status === 'firing' ? severity : severities.length + severity;
}

function verdict({ alert: { status, labels } }: Row): string {
  const { severity = 'without a severity' } = labels;
  return status === 'firing' ? severity : 'resolved';
}
