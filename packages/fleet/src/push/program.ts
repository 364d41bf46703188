/** Runs a program to its end: no shell, a deadline, bounded output. */
import { spawn } from 'node:child_process';
import { withDeadline } from '@skolo/errors';

export interface ProgramOptions {
  /** For standard input. */
  input?: string;
  signal?: AbortSignal | undefined;
  deadlineMs?: number;
}

interface Surroundings {
  env: NodeJS.ProcessEnv;
  cwd?: string;
}

export interface Ended {
  /** Not 0 if it failed; -1 if it was killed or printed too much. */
  status: number;
  stdout: string;
  stderr: string;
}

const usualDeadlineMs = 60_000;
const mostOutput = 64 * 1024 * 1024;

/**
 * @param late the error when the time is up
 * @throws Error The program cannot be started; `late`; or the reason of the signal.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  { input = '', signal, deadlineMs = usualDeadlineMs }: ProgramOptions,
  surroundings: Surroundings,
  late: (seconds: number) => Error,
): Promise<Ended> {
  const limit = { ms: deadlineMs, late: () => late(deadlineMs / 1000), signal };
  return withDeadline(limit, (stop) => untilEnd(command, args, input, surroundings, stop));
}

function untilEnd(
  command: string,
  args: readonly string[],
  input: string,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // In a process group of its own: Ctrl-C in the terminal stops the push, which then decides.
    const child = spawn(command, args, { ...surroundings, detached: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const kill = () => child.kill('SIGKILL');
    const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostOutput) kill();
      else chunks.push(chunk);
    };
    child.stdout.on('data', collect(out));
    child.stderr.on('data', collect(err));
    // It may end without reading all of it, and says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    signal.addEventListener('abort', kill);
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', kill);
      const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ status: code ?? -1, stdout: stdout ?? '', stderr: stderr ?? '' });
    });
  }).then((ended) => {
    signal.throwIfAborted();
    return ended as Ended;
  });
}
