import type { ReceiverStatus, SinkStatus } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { sizeText } from '../../output/size.ts';
import { styled } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import { duration, relative } from '../../output/time.ts';

/** `skolo alerts status`: whether alerts of the rack get through, and where they wait. */
export function addAlertsStatus(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('status')
    .description(
      'The way of an alert in the rack: whether Prometheus and Alertmanager send, what waits, whether it arrives where it is sent. Exits with 1 when it is not healthy.',
    )
    .summary('whether alerts get through, and where they wait')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo alerts status --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const { alertToPubsub } = await import('./service.ts');
    const service = await alertToPubsub(command);
    const status = await service.ask((client) => client.status());
    if (!status.healthy) io.exitCode = exitCodes.failed;
    if (json) return printJson(io, status);
    const { location, healthy, why, lastHeard, receivers, firing, spool, sinks } = status;
    const now = io.now();
    const health = healthy
      ? styled('healthy', 'green', io.colour)
      : styled(`not healthy: ${why ?? 'it does not say why'}`, 'red', io.colour);
    io.out(`${location}: ${health}`);
    const heard =
      lastHeard === undefined
        ? 'never heard'
        : `last heard ${relative(Date.parse(lastHeard), now)}`;
    io.out(`Prometheus or Alertmanager: ${heard}; ${count(firing, 'alert')} firing`);
    for (const receiver of receivers) io.out(receiverLine(receiver, now, io.colour));
    const refusing = spool.refusing === undefined ? '' : `; nothing is accepted: ${spool.refusing}`;
    io.out(`spool: ${sizeText(spool.bytes)} of ${sizeText(spool.maxBytes)}${refusing}`);
    if (spool.damage !== undefined) io.out(styled(`damage: ${spool.damage}`, 'red', io.colour));
    io.out('');
    printTable(io, columns(now), sinks);
    for (const { name, detail, setAside } of sinks) {
      if (detail !== undefined) io.out(`\n${name}: ${detail}`);
      if (setAside > 0) {
        const set = setAside === 1 ? '1 message was' : `${setAside} messages were`;
        io.out(`\n${name}: ${set} set aside; see skolo alerts dead-letters`);
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
  const when = lastHeard === undefined ? 'never' : relative(Date.parse(lastHeard), now);
  const state = isSilent ? styled('silent, ', 'red', colour) : '';
  return `  from ${name}: ${state}last received ${when}${isExpected ? '' : ' (not expected)'}`;
}

function columns(now: number): Column<SinkStatus>[] {
  const since = (time: string | undefined) =>
    time === undefined ? 'never' : relative(Date.parse(time), now);
  return [
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
      cell: ({ failingSince }) => failingSince && duration((now - Date.parse(failingSince)) / 1000),
      leaveOut: 2,
    },
    { title: 'WAITING', cell: ({ depth }) => String(depth), align: 'right' },
    {
      title: 'OLDEST',
      cell: ({ depth, oldestSeconds }) => (depth > 0 ? duration(oldestSeconds) : undefined),
    },
    { title: 'ARRIVED', cell: ({ lastSuccess }) => since(lastSuccess) },
  ];
}
