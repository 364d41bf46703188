import { setTimeout } from 'node:timers/promises';
import { ApiUnreachable, type LogLine } from '@skolo/api';
import { Option } from 'commander';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { cutOff, plain } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { untilStopped } from '../../until-stopped.ts';
import { agentPlace } from './agents.ts';
import { signIn } from './sign-in.ts';

interface Options {
  lines: number;
  follow?: true;
  json?: true;
}

/** `skolo machine log`: the last lines of the agent and of the bot, as they are in its memory. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'The last lines of the agent on a machine and of its bot, the newest at the bottom. They are in memory only: the agent keeps a thousand, since it was started. With --follow it goes on, also over a restart of the agent, and ends with Ctrl-C, and with 0.',
    )
    .summary('last lines of the agent and of the bot')
    .argument('<name>', 'the machine')
    .addOption(new Option('--lines <n>', 'how many, the newest').argParser(upTo(1000)).default(100))
    .option('--follow', 'go on, as lines come')
    .addOption(new Option('--json', 'print JSON').conflicts('follow'))
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine log skia-rpi2-rack4-shelf1-007 --follow');

  command.action(async (name: string, { lines, follow, json }: Options) => {
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'log');
    const ask = (query: { lines: number; after?: number }, signal?: AbortSignal) =>
      agent.ask((client) => client.log({ query, signal })).then((answer) => answer.lines);
    if (follow) return followLog(io, { lines, ask });
    const found = await ask({ lines });
    if (json) return printJson(io, { lines: found });
    return printLines(io, found);
  });
}

export interface FollowOptions {
  /** How many of those that are there already. */
  lines: number;
  ask(query: { lines: number; after?: number }, signal?: AbortSignal): Promise<LogLine[]>;
  pauseMs?: number;
  /** After so long without an answer it is given up; a machine that boots needs some minutes. */
  giveUpMs?: number;
}

const most = 1000;
const usualPauseMs = 2000;
const usualGiveUpMs = 10 * 60_000;

function printLines({ out }: Io, lines: readonly LogLine[]): void {
  for (const { at, from, text } of lines) {
    // The agent cuts its lines at 2000 characters; one that does not is none.
    out(`${timestamp(at)}  ${from.padEnd('agent'.length)}  ${cutOff(plain(text), 2100)}`);
  }
}

/** Until somebody has seen enough. @throws CliError The agent refuses, or is silent for too long. */
export async function followLog(io: Io, options: FollowOptions): Promise<void> {
  const { ask, pauseMs = usualPauseMs, giveUpMs = usualGiveUpMs } = options;
  const stop = untilStopped(io);
  const { signal } = stop;
  let last: LogLine | undefined;
  let heardAt: number | undefined;
  let isLost = false;
  try {
    while (!signal.aborted) {
      try {
        let fresh = newLines(io, last, await ask(queryAfter(last, options.lines), signal));
        if (fresh === undefined) {
          complain(io, 'the agent was started again');
          fresh = await ask({ lines: most }, signal);
        }
        heardAt = performance.now();
        isLost = false;
        printLines(io, fresh);
        last = fresh.at(-1) ?? last;
      } catch (error) {
        signal.throwIfAborted();
        const isTooLong = heardAt === undefined || performance.now() - heardAt >= giveUpMs;
        // Who never answered is not waited for.
        if (!isUnreachable(error) || isTooLong) throw error;
        if (!isLost) complain(io, `${error.message}; it is asked on`);
        isLost = true;
      }
      await setTimeout(pauseMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stop.end();
  }
}

/** From the last line on, that one included: when it is another one now, the agent was started again. */
function queryAfter(last: LogLine | undefined, lines: number) {
  return last === undefined ? { lines } : { lines: most, after: last.number - 1 };
}

/** Undefined: its numbers have begun anew. */
function newLines(
  io: Io,
  last: LogLine | undefined,
  found: readonly LogLine[],
): LogLine[] | undefined {
  if (last === undefined) return [...found];
  const [first] = found;
  if (first === undefined || first.number < last.number) return undefined;
  if (first.number === last.number) return first.at === last.at ? found.slice(1) : undefined;
  const missed = first.number - last.number - 1;
  if (missed > 0) complain(io, `${missed} lines came and went in between`);
  return [...found];
}

/** Also one that says what to do about it. */
function isUnreachable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error instanceof ApiUnreachable || error.cause instanceof ApiUnreachable;
}
