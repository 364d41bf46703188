/** What `cycle`, `on` and `off` have in common: ask, say what was refused, wait or say how to follow. */
import { randomUUID } from 'node:crypto';
import type { Client, ClientAnswer, powerCycleDaemonApi, Refusal } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import { commandLine } from '../../hints.ts';
import type { Io } from '../../io.ts';
import { folded, type Names } from '../../names.ts';
import { printJson } from '../../output/json.ts';
import { printTable } from '../../output/table.ts';
import { powerCycleDaemon } from './daemon.ts';
import { printRefusals } from './refusals.ts';
import { persistently, refusedBy } from './request.ts';

export interface SubmitOptions {
  wait?: true;
  skipRefused?: true;
  json?: true;
}

type Api = typeof powerCycleDaemonApi;
export type Accepted = ClientAnswer<Api['requestCycles']>;

interface Submission {
  io: Io;
  command: SkoloCommand;
  names: Names;
  options: SubmitOptions;
  /** `cycling`, for people. */
  doing: string;
  /** Sends the request. Its key is the same however often it is sent. */
  send(client: Client<Api>, headers: { 'idempotency-key': string }): Promise<Accepted>;
}

/** Sets the exit code. */
export async function submit(submission: Submission): Promise<void> {
  const { io, command, options } = submission;
  const daemon = await powerCycleDaemon(command);
  const headers = { 'idempotency-key': randomUUID() };
  const { cycles, refused } = await daemon.ask(async (client) => {
    try {
      return await persistently(io, () => submission.send(client, headers));
    } catch (error) {
      const refused = refusedBy(error);
      if (refused === undefined) throw error;
      return { cycles: [], refused };
    }
  });
  if (refused.length > 0 && !options.json) await printRefusals(io, refused);
  if (cycles.length === 0) return nothingDone(submission, refused);
  if (options.wait) {
    const { waitForCycles } = await import('./wait.ts');
    if (!options.json) io.err(await startedText(submission, cycles));
    const json = options.json ?? false;
    return waitForCycles({ io, command, daemon, asked: cycles, refused, json });
  }
  if (refused.length > 0) io.exitCode = exitCodes.partlyFailed;
  if (options.json) printJson(io, { cycles, refused });
  else await printAccepted(submission, cycles);
}

function nothingDone({ io, names, options }: Submission, refused: readonly Refusal[]): void {
  if (options.json) printJson(io, { cycles: [], refused });
  if (refused.length < names.count && !options.skipRefused) {
    const share = `${refused.length} of ${names.count}`;
    complain(io, `nothing was done: ${share} refused; --skip-refused goes on with the others`);
  } else {
    complain(io, 'nothing was done: refused');
  }
  io.exitCode = exitCodes.failed;
}

async function startedText({ doing }: Submission, cycles: Accepted['cycles']): Promise<string> {
  return `${doing} ${await folded(cycles.map(({ target }) => target))}`;
}

async function printAccepted(submission: Submission, cycles: Accepted['cycles']) {
  const { io, command } = submission;
  printTable(
    io,
    [
      { title: 'ID', cell: ({ id }) => shortId(id) },
      { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
      {
        title: 'CYCLE',
        cell: ({ joined }) => (joined ? 'was under way already' : 'new'),
        style: ({ joined }) => (joined ? 'yellow' : undefined),
      },
    ],
    cycles,
  );
  const names = await folded(cycles.map(({ target }) => target));
  io.err(`to follow: ${commandLine(command, 'power follow', names)}`);
}
