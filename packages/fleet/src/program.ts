/** Runs programs until they exit, with bounded output, and kills them on a signal. */
import type { ChildProcess } from 'node:child_process';
import { addAbortListener, once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Ended {
  /** Not 0 if it failed; -1 if it was killed or printed too much. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  /** For standard input. If a stream fails, the program fails. */
  input?: string | Readable;
  /** Kills it. */
  signal?: AbortSignal | undefined;
}

const mostOutput = 64 * 1024 * 1024;

/**
 * Starts a program and waits until it exits.
 *
 * @throws Error It cannot be started, its input stream failed, or the signal was aborted.
 */
export async function runToEnd(
  start: () => ChildProcess,
  { input = '', signal }: ProgramOptions = {},
): Promise<Ended> {
  signal?.throwIfAborted();
  const child = start();
  const kill = () => child.kill('SIGKILL');
  using _ended = signal && addAbortListener(signal, kill);
  try {
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => collect(stream, kill));
    const [[code]] = await Promise.all([once(child, 'close'), feed(child, input)]);
    signal?.throwIfAborted();
    return { code: code ?? -1, stdout: stdout?.() ?? '', stderr: stderr?.() ?? '' };
  } catch (error) {
    kill();
    signal?.throwIfAborted();
    throw error;
  }
}

function collect(stream: Readable | null, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > mostOutput) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

async function feed({ stdin }: ChildProcess, input: string | Readable): Promise<void> {
  if (stdin === null) return;
  if (typeof input === 'string') {
    // It may exit without reading all of it, and prints why.
    stdin.on('error', () => {});
    stdin.end(input);
    return;
  }
  let failure: unknown;
  input.on('error', (error) => {
    failure = error;
  });
  await pipeline(input, stdin).catch(() => {
    if (failure !== undefined) throw failure;
  });
}
