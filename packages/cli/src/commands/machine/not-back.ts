/** Prints the machines that have not come back after an outage, for a person who walks along the shelves. */
import { evidenceText, inWalkingOrder, outcomeOf } from '@skolo/api/incident-text';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { paragraph, plain, styled } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import type { MachineState } from '../../reach/service-client.ts';

export async function printNotBack(
  command: SkoloCommand,
  service: MachineState,
  period: string,
  json: true | undefined,
): Promise<void> {
  const { io } = command;
  const ms = spanMs(period, 'mhdw');
  if (ms === undefined) command.error(`--not-back: expected a period such as 2h, not ${period}`);
  const now = io.now();
  const query = { since: new Date(now - ms).toISOString() };
  const [report, { shelves }] = await service.ask((client) =>
    Promise.all([
      client.incident({ params: { id: 'all' }, query, timeoutMs: 30_000 }),
      client.rack({ timeoutMs: 30_000 }),
    ]),
  );
  if (report.missing.length > 0) io.exitCode = exitCodes.partlyFailed;
  const walk = inWalkingOrder(report.machines, shelves);
  if (json) return printJson(io, { shelves: walk, missing: report.missing });
  const head = [
    `${outcomeOf({ machines: report.machines, rows: [] }, String)}, ${timestamp(now)}`,
    ...report.missing.map(({ source, why }) => `${source}: unknown: ${why}`),
  ];
  const blocks = walk.map(({ shelf, machines }) => [
    styled(plain(shelf), 'bold', io.colour),
    ...machines.map(({ place, machine }) =>
      plain(`[ ] ${machine.name}, place ${place}: ${evidenceText(machine)}`),
    ),
  ]);
  const all = [head.map(plain), ...blocks];
  io.out(
    all.map((lines) => lines.map((line) => paragraph(line, io.columns)).join('\n')).join('\n\n'),
  );
}
