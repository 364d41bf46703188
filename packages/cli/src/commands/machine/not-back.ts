/** Prints the machines that have not come back after an outage, for a person who walks along the shelves. */

import type { Away } from '@skolo/api';
import { awayText, outcomeOf, unknownIn } from '@skolo/api/incident-text';
import { spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
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
  const report = await incidentsOf(service, query);
  const missing = unknownIn(report);
  if (missing.length > 0) io.exitCode = exitCodes.partlyFailed;
  if (json) return printJson(io, { away: report.away, missing });
  // What left without an answer may be silent.
  const isBack = report.machines.every(({ answeredAt }) => answeredAt !== undefined);
  const isCalm = isBack && report.away.length === 0 && missing.length === 0;
  const head = [
    `${isCalm ? 'no machine is silent; ' : ''}${outcomeOf({ machines: report.machines, rows: [] }, String)}, ${timestamp(now)}`,
    ...missing.map(({ source, why }) => `${source}: unknown: ${why}`),
  ];
  const all = [head.map(plain), ...blocksOf(io, report.away)];
  io.out(
    all.map((lines) => lines.map((line) => paragraph(line, io.columns)).join('\n')).join('\n\n'),
  );
}

/** Incidents of a period, and those that continue, as one. */
export async function incidentsOf(service: MachineState, query: { since?: string } = {}) {
  return await service.ask((client) =>
    client.incident({ params: { id: 'all' }, query, timeoutMs: 30_000 }),
  );
}

function blocksOf(io: Io, away: readonly Away[]) {
  return [...Map.groupBy(away, ({ shelf }) => shelf)].map(([shelf, machines]) => [
    styled(plain(shelf), 'bold', io.colour),
    ...machines.map((machine) => plain(awayLine(machine))),
  ]);
}

export function awayLine(machine: Away): string {
  return `[ ] ${machine.name}, ${awayText(machine)}`;
}
