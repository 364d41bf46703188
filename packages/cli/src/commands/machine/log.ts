import type { LogLine } from '@skolo/api';
import { count, pause } from '@skolo/base';
import { Option } from 'commander';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { cutOff, plain } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { temporaryReason } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';
import { signIn } from './sign-in.ts';

interface Options {
  lines: number;
  follow?: true;
  json?: true;
}

/** `skolo machine log`: the last log lines of the agent and of the bot. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Prints the latest log lines of a machine's agent and bot, newest last. The agent keeps up to a thousand lines. --follow prints new lines until you press Ctrl-C, even if the agent restarts, and exits with code 0.",
    )
    .summary('print log lines from the agent and the bot')
    .argument('<name>', 'machine name')
    .addOption(
      new Option('--lines <n>', 'number of most recent lines to print')
        .argParser(upTo(1000))
        .default(100),
    )
    .option('--follow', 'print new lines as they arrive')
    .addOption(new Option('--json', 'print JSON').conflicts('follow'))
    .example('skolo machine log skia-rpi2-rack4-shelf1-007 --follow');

  command.action(async (name: string, { lines, follow, json }: Options) => {
    const agent = await signIn(command, name, 'log');
    const ask = (query: { lines: number; after?: number }, signal?: AbortSignal) =>
      agent.ask((client) => client.log({ query, signal })).then((answer) => answer.lines);
    if (follow) return followLog(command.io, { lines, ask });
    const found = await ask({ lines });
    if (json) return printJson(command.io, { lines: found });
    return printLines(command.io, found);
  });
}

export interface FollowOptions {
  /** Number of existing lines. */
  lines: number;
  ask(query: { lines: number; after?: number }, signal?: AbortSignal): Promise<LogLine[]>;
  pauseMs?: number;
  /** Gives up after this long without a response; a machine takes a few minutes to boot. */
  giveUpMs?: number;
}

const most = 1000;
const usualPauseMs = 2000;
const usualGiveUpMs = 10 * 60_000;

function printLines({ out }: Io, lines: readonly LogLine[]): void {
  for (const { at, from, text } of lines) {
    // The agent truncates its lines at 2000 characters.
    out(`${timestamp(at)}  ${from.padEnd('agent'.length)}  ${cutOff(plain(text), 2100)}`);
  }
}

/** Runs until Ctrl-C. @throws CliError The agent rejects the request, or is silent for too long. */
export async function followLog(io: Io, options: FollowOptions): Promise<void> {
  const { ask, pauseMs = usualPauseMs, giveUpMs = usualGiveUpMs } = options;
  using stop = untilStopped(io);
  const { signal } = stop;
  let last: LogLine | undefined;
  let lastAnswer: number | undefined;
  let isLost = false;
  try {
    while (!signal.aborted) {
      try {
        let fresh = newLines(io, last, await ask(queryAfter(last, options.lines), signal));
        if (fresh === undefined) {
          complain(io, 'the agent restarted');
          fresh = await ask({ lines: most }, signal);
        }
        lastAnswer = performance.now();
        isLost = false;
        printLines(io, fresh);
        last = fresh.at(-1) ?? last;
      } catch (error) {
        signal.throwIfAborted();
        const isTooLong = lastAnswer === undefined || performance.now() - lastAnswer >= giveUpMs;
        // Does not wait for an agent that never responded.
        const why = temporaryReason(error);
        if (why === undefined || isTooLong) throw error;
        if (!isLost) complain(io, `no connection (${why}); retrying`);
        isLost = true;
      }
      await pause(pauseMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Includes the last line: if it differs, the agent has restarted. */
function queryAfter(last: LogLine | undefined, lines: number) {
  return last === undefined ? { lines } : { lines: most, after: last.number - 1 };
}

/** Undefined after a restart of the agent. */
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
  if (missed > 0)
    complain(io, `missed ${count(missed, 'line')}, because the agent keeps only a thousand lines`);
  return [...found];
}
