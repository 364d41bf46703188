import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NotRun } from './bench.ts';
import { findProgram, pinned } from './cores.ts';

const run = promisify(execFile);

interface WrkResult {
  requests: number;
  requestsPerSecond: number;
  /** Milliseconds. */
  latency: { p50: number; p75: number; p90: number; p99: number; max: number };
  socketErrors: { connect: number; read: number; write: number; timeout: number };
  /** Answers other than 2xx and 3xx. */
  badStatuses: number;
}

interface WrkOptions {
  url: string;
  connections: number;
  seconds: number;
  headers?: Record<string, string>;
  /** A file in Lua that makes the requests; see wrk's SCRIPTING. */
  script?: string;
}

/**
 * Loads a server with wrk from one thread, on a core of its own, and returns what wrk measures. Rejects with `NotRun`
 * where it is not installed (Debian: wrk), and with an error when an answer was missing or bad: errors are quick, so
 * their rate is no figure.
 */
export async function wrk(options: WrkOptions): Promise<WrkResult> {
  if (!findProgram('wrk')) throw new NotRun('wrk is not installed (Debian: apt-get install wrk)');
  const { url, connections, seconds, headers = {}, script } = options;
  const command = [
    'wrk',
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    '--latency',
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...(script === undefined ? [] : ['--script', script]),
    url,
  ];
  const [program = '', ...args] = pinned(command, 'load');
  const { stdout } = await run(program, args);
  const result = parseWrk(stdout);
  const errors = Object.entries(result.socketErrors).filter(([, count]) => count > 0);
  if (result.requests === 0) throw new Error(`${url}: no answer at all`);
  if (result.badStatuses > 0) {
    throw new Error(`${url}: ${result.badStatuses} of ${result.requests} answers were not 2xx`);
  }
  if (errors.length > 0) {
    throw new Error(
      `${url}: ${errors.map(([kind, count]) => `${count} ${kind}`).join(', ')} errors`,
    );
  }
  return result;
}

/** Reads what `wrk --latency` (4.1 and 4.2) prints. Throws when it is something else. */
export function parseWrk(text: string): WrkResult {
  const errors =
    /Socket errors: connect (?<connect>\d+), read (?<read>\d+), write (?<write>\d+), timeout (?<timeout>\d+)/.exec(
      text,
    )?.groups;
  return {
    requests: Number(find(text, /^\s+(\d+) requests in /m)),
    requestsPerSecond: Number(find(text, /^Requests\/sec:\s+([\d.]+)$/m)),
    latency: {
      p50: milliseconds(find(text, /^\s+50%\s+(\S+)\s*$/m)),
      p75: milliseconds(find(text, /^\s+75%\s+(\S+)\s*$/m)),
      p90: milliseconds(find(text, /^\s+90%\s+(\S+)\s*$/m)),
      p99: milliseconds(find(text, /^\s+99%\s+(\S+)\s*$/m)),
      max: milliseconds(find(text, /^\s+Latency(?:\s+\S+){2}\s+(\S+)\s+\S+$/m)),
    },
    socketErrors: {
      connect: Number(errors?.connect ?? 0),
      read: Number(errors?.read ?? 0),
      write: Number(errors?.write ?? 0),
      timeout: Number(errors?.timeout ?? 0),
    },
    badStatuses: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
  };
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`wrk did not print ${pattern.source}:\n${text}`);
  return found;
}

const unitsInMs: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(text: string): number {
  const match = /^(?<number>[\d.]+)(?<unit>us|ms|s|m|h)$/.exec(text)?.groups;
  const factor = unitsInMs[match?.unit ?? ''];
  if (factor === undefined) throw new Error(`wrk printed ${text} for a time`);
  return Number((Number(match?.number) * factor).toPrecision(6));
}
