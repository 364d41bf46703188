import { deliveryOf } from '@skolo/alerts/delivery-state';
import type { ReceiverStatus, SinkStatus } from '@skolo/api';
import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { styled } from '../../output/text.ts';
import { age, duration, lastSeen, relative, sizeText } from '../../output/time.ts';
import { alertToPubsub } from '../../reach/service-client.ts';

/** `skolo alerts status`: whether alerts are delivered, and where they are queued. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Shows whether Prometheus and Alertmanager are sending alerts, and for each sink, whether it accepts alerts and how many are queued. The exit code is 1 if alerts are `failing` or `silent`.',
    )
    .summary('show alert delivery')
    .option('--json', 'print JSON')
    .example('skolo alerts status --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const status = await alertToPubsub(command).ask((client) => client.status());
    const { location, lastHeard, receivers, firing, unseen, spool, sinks } = status;
    const { state, text } = deliveryOf(status);
    const isBad = state === 'failing' || state === 'silent';
    if (isBad) command.io.exitCode = exitCodes.failed;
    if (json) return printJson(command.io, { ...status, delivery: state });
    const now = command.io.now();
    const style = isBad ? 'red' : state === 'delivered' ? 'green' : 'yellow';
    const verdict = styled(`alerts ${state}${text && `: ${text}`}`, style, command.io.colour);
    command.io.out(`${location}: ${verdict}`);
    const heard = lastHeard === undefined ? 'never' : relative(lastHeard, now);
    command.io.out(
      `last alert from Prometheus or Alertmanager: ${heard}; ${count(firing, 'alert')} firing`,
    );
    for (const receiver of receivers)
      command.io.out(receiverLine(receiver, now, command.io.colour));
    if (unseen !== undefined) command.io.out(unseen);
    const rejecting =
      spool.rejecting === undefined ? '' : `; rejecting new alerts: ${spool.rejecting}`;
    command.io.out(`spool: ${sizeText(spool.bytes)} of ${sizeText(spool.maxBytes)}${rejecting}`);
    if (spool.damage !== undefined)
      command.io.out(styled(`damage: ${spool.damage}`, 'red', command.io.colour));
    command.io.out('');
    printTable(command.io, columns, sinks);
    for (const { name, setAside, doubtful } of sinks) {
      if (doubtful !== undefined) {
        const text = `queued messages may have arrived up to ${count(doubtful, 'time')}; retries become less frequent`;
        command.io.out(`\n${name}: ${text}`);
      }
      if (setAside > 0) {
        command.io.out(
          `\n${name}: ${count(setAside, 'dead letter')}; see skolo alerts dead-letters`,
        );
      }
    }
    return undefined;
  });
}

function receiverLine(
  { name, isExpected, isSilent, lastHeard }: ReceiverStatus,
  now: number,
  colour: boolean,
): string {
  const state = isSilent ? styled('silent, ', 'red', colour) : '';
  return `  from ${name}: ${state}${lastHeard ? `last alert ${relative(lastHeard, now)}` : 'no alert received yet'}${isExpected ? '' : ' (its silence is not detected; see `watchdog` in docs/reference/rack-yaml.md)'}`;
}

const columns: Column<SinkStatus>[] = [
  { title: 'SINK', cell: ({ name }) => name },
  { title: 'KIND', cell: ({ kind }) => kind, leaveOut: 1 },
  {
    title: 'STATE',
    cell: ({ failingSince, reason, down }) =>
      failingSince === undefined ? 'ok' : `${down ? 'down' : 'failing'} (${reason ?? 'unknown'})`,
    style: ({ failingSince }) => (failingSince === undefined ? undefined : 'red'),
  },
  {
    title: 'FOR',
    cell: ({ failingSince }, now) => failingSince && age(failingSince, now),
    leaveOut: 2,
  },
  { title: 'QUEUED', cell: ({ depth }) => depth },
  {
    title: 'OLDEST',
    cell: ({ depth, oldestSeconds }) => (depth > 0 ? duration(oldestSeconds) : undefined),
  },
  { title: 'DELIVERED', cell: ({ lastSuccess }, now) => lastSeen(lastSuccess, now) },
];
