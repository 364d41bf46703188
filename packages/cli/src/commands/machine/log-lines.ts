import { setTimeout } from 'node:timers/promises';
import { ApiUnreachable, type LogLine } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { cutOff, plain } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { untilStopped } from '../../until-stopped.ts';

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

export function printLines({ out }: Io, lines: readonly LogLine[]): void {
  for (const { at, from, text } of lines) {
    // The agent cuts its lines at 2000 characters; one that does not is none.
    out(`${timestamp(new Date(at))}  ${from.padEnd('agent'.length)}  ${cutOff(plain(text), 2100)}`);
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
