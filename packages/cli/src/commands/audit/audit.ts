import { ApiUnreachable, type AuditLogOf, auditApi, mergeAuditLogs } from '@skolo/api';
import { type AuditRow, auditRows } from '@skolo/api/audit-rows';
import { count } from '@skolo/base';
import { Option } from 'commander';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import { type Column, printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';
import { connectTo } from '../../reach/service-client.ts';

const services = [
  'machine-state',
  'power-cycle-daemon',
  'router-backup',
  'alert-to-pubsub',
  'metadata-server',
] as const;
type Service = (typeof services)[number];

const mostEntries = 500;
/** Entries per page; a change has two. */
const mostLines = 1000;

interface Options {
  who?: string;
  text?: string;
  service?: Service;
  limit: number;
  json?: true;
}

/** `skolo audit`: who changed what, in all services. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists changes and rejected requests from the audit logs of all services, newest last, with their time, user, action, reason and outcome. This requires the operate role. Changes that were sent directly to an agent are recorded only on its machine. The exit code is 3 if some services did not respond.',
    )
    .summary('list who changed what, in all services')
    .rackArgument('[rack]', 'rack to reach through its jumphost, as with --on')
    .option('--who <name>', 'only users and programs whose names contain this text')
    .option(
      '--text <words>',
      'only entries that contain all these words, such as a machine, a reason or an outcome',
    )
    .addOption(new Option('--service <name>', 'only entries from this service').choices(services))
    .addOption(limitOption(mostEntries))
    .option('--json', 'print JSON, including all fields of the log')
    .uses('rack', 'tokenFile')
    .example('skolo audit --text skia-rpi2-rack4-shelf1-007 --limit 50');

  command.action(async (_rack: string | undefined, options: Options) => {
    const { io } = command;
    const asked = services.filter((name) => name === (options.service ?? name));
    const answers = await Promise.allSettled(asked.map((name) => read(command, name, options)));
    const logs = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failed = answers.flatMap((each, i) =>
      each.status === 'rejected' ? [{ name: asked[i], error: each.reason }] : [],
    );
    if (logs.length === 0) throw failed[0]?.error;
    for (const { name, error } of failed) {
      // Without the advice to give another URL, because there are several.
      const { message } = error.cause instanceof ApiUnreachable ? error.cause : error;
      complain(io, `${name}: could not read the audit log: ${message}`);
    }
    if (failed.length > 0) io.exitCode = exitCodes.partlyFailed;
    const skipped = logs.reduce((sum, log) => sum + log.skipped, 0);
    if (skipped > 0) complain(io, `${count(skipped, 'damaged line')} skipped`);
    const changes = mergeAuditLogs(logs).changes.slice(0, options.limit).reverse();
    if (options.json) printJson(io, { changes });
    else printTable(io, columns, auditRows(changes));
  });
}

/** The newest entries of a service, enough for `limit` changes. @throws CliError */
async function read(
  command: SkoloCommand,
  service: Service,
  { who, text, limit }: Options,
): Promise<AuditLogOf<Service> & { skipped: number }> {
  // The metadata server's public port only has Google's protocol.
  const port = service === 'metadata-server' ? 'metrics' : 'public';
  const { ask } = connectTo(command, { api: auditApi, service, port });
  const log: AuditLogOf<Service> & { skipped: number } = { service, entries: [], skipped: 0 };
  do {
    const query = { who, text, limit: Math.min(mostLines, limit * 2), before: log.older?.before };
    const page = await ask((client) => client.audit({ query }));
    log.entries.push(...page.entries);
    log.skipped += page.skipped;
    log.older = page.older;
  } while (log.older !== undefined && log.entries.length < limit * 2);
  return log;
}

const columns: Column<AuditRow>[] = [
  { title: 'WHEN', cell: ({ time }) => timestamp(time) },
  { title: 'WHO', cell: ({ who }) => who, shrinkTo: 8 },
  {
    title: 'WHAT',
    cell: ({ action, times }) => (times > 1 ? `${action} ×${times}` : action),
    shrinkTo: 10,
  },
  { title: 'TARGET', cell: targetText, shrinkTo: 12 },
  {
    title: 'OUTCOME',
    cell: ({ result }) => result,
    style: ({ result }) => (/^(rejected|failed|stuck)/.test(result) ? 'red' : undefined),
  },
  { title: 'WHY', cell: ({ why }) => why, below: true },
  { title: 'RESULT', cell: ({ because }) => because, below: true },
  { title: 'SERVICE', cell: ({ service }) => service, leaveOut: 2 },
  { title: 'FROM', cell: ({ from }) => from, leaveOut: 1 },
];

/** Folds machine names to ranges; leaves a method with its path unchanged. */
function targetText({ target }: AuditRow): string | undefined {
  const words = target?.split(' ') ?? [];
  return words.length > 2 ? folded(words) : target;
}
