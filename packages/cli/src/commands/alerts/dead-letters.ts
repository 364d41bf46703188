import type { DeadLetter } from '@skolo/api';
import { count } from '@skolo/base';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { cutOff } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { alertToPubsub } from '../../reach/service-client.ts';

interface Options {
  limit: number;
  json?: true;
  retry?: true;
  sink?: string;
  reason?: string;
}

/** `skolo alerts dead-letters`: invalid alerts, and messages that a sink rejects while it accepts others. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists dead letters, newest last: invalid alerts, and messages that a sink rejected four times. Each has a time, an origin and a reason. --retry resends messages to the sinks that rejected them.',
    )
    .summary('list or resend dead letters')
    .addOption(limitOption())
    .option('--json', 'print JSON, including rejected content')
    .option('--retry', 'resend the messages')
    .option('--sink <name>', 'with --retry: only this sink')
    .option('--reason <text>', 'with --retry: reason to record in the audit log')
    .example('skolo alerts dead-letters --json')
    .example("skolo alerts dead-letters --retry --sink pager --reason 'body corrected'");

  command.action(async ({ limit, json, retry, sink, reason }: Options) => {
    if (!retry && (sink !== undefined || reason !== undefined)) {
      command.error("options '--sink' and '--reason' require '--retry'");
    }
    const service = alertToPubsub(command);
    if (retry) {
      const body = { sink, reason };
      const answer = await service.ask((client) => client.retryDeadLetters({ body }));
      if (json) return printJson(command.io, answer);
      command.io.out(`${count(answer.retried, 'message')} queued again; see skolo alerts status`);
      if (answer.kept > 0) {
        command.io.out(
          `${count(answer.kept, 'dead letter')} not resent: invalid or truncated, or the sink is no longer in rack.yaml`,
        );
      }
      return undefined;
    }
    const { deadLetters } = await service.ask((client) => client.deadLetters({ query: { limit } }));
    const oldestFirst = deadLetters.toReversed();
    if (json) printJson(command.io, { deadLetters: oldestFirst });
    else printTable(command.io, columns, oldestFirst);
    return undefined;
  });
}

const columns: Column<DeadLetter>[] = [
  { title: 'WHEN', cell: ({ at }) => timestamp(at) },
  { title: 'FROM', cell: ({ from }) => from },
  { title: 'WHY', cell: ({ why }) => why, shrinkTo: 24 },
  { title: 'FOUND', cell: ({ found }) => foundText(found), shrinkTo: 12, leaveOut: 1 },
];

const longest = 60;

/** The beginning; --json has all. */
function foundText(found: unknown): string {
  const text = typeof found === 'string' ? found : (JSON.stringify(found) ?? '');
  return cutOff(text, longest);
}
