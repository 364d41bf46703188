import { timelineText } from '@skolo/api';
import { incidentText } from '@skolo/api/incident-text';
import { InvalidArgumentError, Option } from 'commander';
import { moment, spanMs } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { machineState } from '../../reach/service-client.ts';

interface Options {
  since?: Point;
  until?: Point;
  incident?: string;
  json?: true;
}

const syntax = '18:00, 2h, or 2026-11-20T18:00Z';

/** @param now milliseconds since 1970 */
type Point = (now: number) => Date;

/** `skolo timeline`: what happened in a rack, as text for the next person on call. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints what happened in a rack, from all services: machines that fell silent and came back, configurations, power cycles, alerts and their delivery, and what people did. Lines have 80 columns, so you can paste them as the handover. Without the operate role, entries of the audit logs are omitted. The exit code is 3 if some services did not respond.',
    )
    .summary('print what happened in a rack, as a handover')
    .rackArgument('[rack]', 'rack to reach through its jumphost, as with --on')
    .addOption(
      new Option('--since <time>', `start: ${syntax} (default: 12 hours before --until)`).argParser(
        pointOf,
      ),
    )
    .addOption(new Option('--until <time>', `end: ${syntax} (default: now)`).argParser(pointOf))
    .option(
      '--incident <id>',
      'print one incident instead: who came back, who did not, and why; `last`, an ID, the name of a cause or machine, or `all` for those since --since as one',
    )
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo timeline rack4 --since 18:00')
    .example('skolo timeline rack4 --incident last');

  command.action(async (_rack: string | undefined, { since, until, incident, json }: Options) => {
    const { io } = command;
    const now = io.now();
    const query = { since: since?.(now).toISOString(), until: until?.(now).toISOString() };
    if (incident !== undefined) return await printIncident(command, incident, query, json);
    const timeline = await machineState(command).ask((client) =>
      client.timeline({ query, timeoutMs: 30_000 }),
    );
    if (timeline.missing.length > 0) io.exitCode = exitCodes.partlyFailed;
    if (json) return printJson(io, timeline);
    for (const line of timelineText(timeline)) io.out(plain(line));
  });
}

async function printIncident(
  command: SkoloCommand,
  id: string,
  query: { since: string | undefined; until: string | undefined },
  json: true | undefined,
): Promise<void> {
  const { io } = command;
  const [report, { rack }] = await machineState(command).ask((client) =>
    Promise.all([
      client.incident({ params: { id }, query, timeoutMs: 30_000 }),
      client.rack({ timeoutMs: 30_000 }),
    ]),
  );
  if (report.missing.length > 0) io.exitCode = exitCodes.partlyFailed;
  if (json) return printJson(io, report);
  for (const line of incidentText(report, rack)) io.out(plain(line));
}

/** `18:00` is the last time that a clock showed this, `2h` that long ago. */
function pointOf(text: string): Point {
  const ms = spanMs(text, 'mhdw');
  if (ms !== undefined) return (now) => new Date(now - ms);
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined) return absolute(text);
  return (now) => {
    const found = new Date(now);
    found.setHours(Number(hours), Number(minutes), 0, 0);
    if (found.getTime() > now) found.setDate(found.getDate() - 1);
    return found;
  };
}

function absolute(text: string): Point {
  try {
    const found = moment(text);
    return () => found;
  } catch {
    throw new InvalidArgumentError(`expected a time such as ${syntax}`);
  }
}
