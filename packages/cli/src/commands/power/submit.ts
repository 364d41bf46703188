/** Shared by `cycle`, `on` and `off`: send the request, print rejections, wait or print how to follow. */

import { randomUUID } from 'node:crypto';
import type { Client, ClientAnswer, PowerCycle, powerCycleDaemonApi, Rejection } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import { withoutName } from '@skolo/base';
import { InvalidArgumentError, Option } from 'commander';
import { commandLine, type SkoloCommand } from '../../command.ts';
import { complain, exitCodes, failPartly } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { folded, foldedItems, type Names } from '../../names.ts';
import { type Column, printTable, table } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { relative } from '../../output/time.ts';
import { type PowerCycleDaemon, powerCycleDaemon } from '../../reach/service-client.ts';
import { isGood, outcomeText } from './cycle-text.ts';
import { rejectedBy, withRetries } from './request.ts';
import { respondingDependents, waitForDependents } from './returning.ts';
import { endedSoon, printBad, waitForCycles } from './wait.ts';

export interface SubmitOptions {
  wait?: true;
  skipRejected?: true;
  json?: true;
}

type Api = typeof powerCycleDaemonApi;
type Accepted = ClientAnswer<Api['requestCycles']>;

interface Submission {
  command: SkoloCommand;
  names: Names;
  options: SubmitOptions;
  /** `cycling`, for people. */
  doing: string;
  /** Default: that of `--on`, `--url` or `--rack`. */
  daemon?: PowerCycleDaemon;
  /** Printed if the waiting is interrupted; default: how to follow the cycles. */
  whenStopped?: string;
  /** Sends the request. Retries use the same key. */
  send(client: Client<Api>, headers: { 'idempotency-key': string }): Promise<Accepted>;
}

/** Sets the exit code. */
export async function submit(submission: Submission): Promise<void> {
  const { command, options } = submission;
  const { io } = command;
  const daemon = submission.daemon ?? powerCycleDaemon(command);
  const headers = { 'idempotency-key': randomUUID() };
  const followsDependents = options.wait && !options.json && submission.daemon === undefined;
  const dependents =
    followsDependents && (await respondingDependents(command, submission.names.names));
  const { cycles, rejected } = await daemon.ask(async (client) => {
    try {
      return await withRetries(io, () => submission.send(client, headers));
    } catch (error) {
      const rejected = rejectedBy(error);
      if (rejected === undefined) throw error;
      return { cycles: [], rejected };
    }
  });
  if (rejected.length > 0 && !options.json) printRejections(io, rejected);
  if (cycles.length === 0) return nothingDone(submission, rejected);
  if (options.wait) {
    if (!options.json) io.err(`${submission.doing} ${folded(cycles.map(({ target }) => target))}`);
    const json = options.json ?? false;
    const { whenStopped } = submission;
    const more = whenStopped === undefined ? {} : { whenStopped };
    const ended = await waitForCycles({ command, daemon, asked: cycles, rejected, json, ...more });
    if (dependents) await waitForDependents(command, dependents, ended);
    return;
  }
  if (rejected.length > 0) io.exitCode = exitCodes.partlyFailed;
  if (options.json) return printJson(io, { cycles, rejected });
  const over = await endedSoon({ command, daemon, asked: cycles });
  printAccepted(submission, cycles, over);
  printBad(io, [...over.values()]);
  const bad = [...over.values()].filter((cycle) => !isGood(cycle)).length;
  if (bad > 0) failPartly(io, bad < cycles.length);
}

function nothingDone(
  { command, names, options }: Submission,
  rejected: readonly Rejection[],
): void {
  const { io } = command;
  if (options.json) printJson(io, { cycles: [], rejected });
  if (rejected.length < names.count && !options.skipRejected) {
    const share = `${rejected.length} of ${names.count}`;
    complain(
      io,
      `nothing was done: ${share} targets ${rejected.length === 1 ? 'was' : 'were'} rejected; use --skip-rejected to continue with the others`,
    );
  } else {
    complain(
      io,
      `nothing was done: ${rejected.length === 1 ? 'the target was' : 'all targets were'} rejected`,
    );
  }
  io.exitCode = exitCodes.failed;
}

function printAccepted(
  { command }: Submission,
  cycles: Accepted['cycles'],
  over: ReadonlyMap<string, PowerCycle>,
) {
  const stateOf = ({ id, joined }: Accepted['cycles'][number]) => {
    const { outcome } = over.get(id) ?? {};
    return outcome ? outcomeText(outcome) : joined ? 'joined' : 'requested';
  };
  printTable(
    command.io,
    [
      { title: 'ID', cell: ({ id }) => shortId(id) },
      { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
      {
        title: 'CYCLE',
        cell: stateOf,
        style: (cycle) => (stateOf(cycle) === 'requested' ? undefined : 'yellow'),
      },
    ],
    cycles,
  );
  const names = folded(cycles.flatMap(({ id, target }) => (over.has(id) ? [] : [target])));
  if (names !== '') command.io.err(`to follow: ${commandLine(command, 'power follow', names)}`);
}

/** Rejections with the same reason. */
interface Group {
  names: string;
  rejection: Rejection;
  possible: string | undefined;
  dark: string[];
}

/** A table of rejected targets, followed by the complete reasons. */
function printRejections(io: Io, rejected: readonly Rejection[]): void {
  const groups = grouped(rejected, io.now());
  const columns = allColumns.filter(
    ({ always, cell }) =>
      always || groups.some((group) => [cell(group, io.now()) ?? []].flat().length > 0),
  );
  // No colours: standard error may be a file.
  io.err(table(columns, groups, { columns: io.columns, now: io.now, colour: false }));
  io.err('');
  for (const { names, rejection } of groups) io.err(plain(`${names}: ${reasonOf(rejection)}`));
}

function grouped(rejected: readonly Rejection[], now: number): Group[] {
  const alike = Map.groupBy(rejected, (rejection) =>
    JSON.stringify([rejection.code, possible(rejection, now), rejection.dark, reasonOf(rejection)]),
  );
  return [...alike.values()].flatMap((each) => {
    const [rejection] = each;
    if (rejection === undefined) return [];
    const names = folded(each.map(({ target }) => target));
    // A narrow terminal leaves out items of a list.
    const dark = foldedItems(folded(rejection.dark ?? []));
    return [{ names, rejection, possible: possible(rejection, now), dark }];
  });
}

function reasonOf({ target, detail }: Rejection): string {
  return withoutName(detail, target);
}

function possible({ until }: Rejection, now: number): string | undefined {
  if (until === undefined) return undefined;
  const time = Date.parse(until);
  return time <= now ? 'now' : relative(time, now);
}

const allColumns: (Column<Group> & { always?: true })[] = [
  { title: 'REJECTED', cell: ({ names }) => names, shrinkTo: 16, always: true },
  { title: 'WHY', cell: ({ rejection }) => rejection.code.replaceAll('-', ' '), always: true },
  { title: 'POSSIBLE', cell: (group) => group.possible },
  { title: 'DEPENDENTS', cell: ({ dark }) => dark, shrinkTo: 12 },
];

export const targetsHelp =
  "machines, phones (rpi-001-device), equipment or outlets (pdu-1/4); quote ranges: 'rpi-[001-040]'";

export const ignoreLimitsHelp =
  'ignore cooldownSeconds and maxPerHour in rack.yaml, which protect the relays';

/** `--off-seconds`, within the limits of the service. */
export function offSecondsOption(): Option {
  const about =
    'how long the power stays off (default: `offSeconds` in rack.yaml, or a value that depends on the model)';
  return new Option('--off-seconds <n>', about).argParser(offSeconds);
}

function offSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (seconds >= 0.5 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('expected a number of seconds from 0.5 to 3600');
}
