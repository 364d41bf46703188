/**
 * Runs a program for a driver: no shell, a separate environment, limited output, and a deadline after which it is ended with all its
 * children.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { errorCode, shellWord, withDeadline } from '@skolo/base';
import { DeviceRejected, DeviceTimeout } from './errors.ts';
import type { Recorded } from './stream/transcript.ts';

export interface Program extends Recorded {
  /** Name or path, and arguments. Never secret: every user of the computer can see them. */
  command: readonly string[];
  /** Environment in addition to PATH, HOME and an English locale. */
  env?: Readonly<Record<string, string>>;
  timeoutMs: number;
  /** What to do if it is missing. */
  hint: string;
}

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

const mostOutput = 64 * 1024;
/** Between asking it to exit and killing it. */
const graceMs = 1000;

/**
 * A status other than 0 does not throw.
 *
 * @throws DeviceTimeout, DeviceRejected (missing, ended by a signal, too much output), or the signal's reason
 */
export async function runProgram(
  device: string,
  { command, env, timeoutMs, hint, onTranscript, dry }: Program,
  signal: AbortSignal,
): Promise<Ran> {
  const [file = '', ...args] = command;
  onTranscript?.('us', `${command.map(shellWord).join(' ')}\n`);
  if (dry) return { status: 0, stdout: '', stderr: '' };
  const late = () => new DeviceTimeout(device, `${file} took longer than ${timeoutMs / 1000} s`);
  return await withDeadline({ ms: timeoutMs, late, signal }, async (limit) => {
    const child = start(device, file, args, env);
    try {
      return await finished(device, file, child, hint, limit);
    } catch (error) {
      await end(child);
      throw error;
    }
  });
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** @throws DeviceRejected An argument is not valid. */
function start(device: string, file: string, args: readonly string[], env: Program['env']): Child {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = '/' } = process.env;
  try {
    return spawn(file, args, {
      env: { PATH, HOME, LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own process group, which can be ended as a whole.
      detached: true,
    });
  } catch {
    throw new DeviceRejected(device, `${JSON.stringify(file)} cannot be run with these arguments`);
  }
}

function finished(
  device: string,
  file: string,
  child: Child,
  hint: string,
  limit: AbortSignal,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    limit.addEventListener('abort', () => reject(limit.reason));
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        if (output[name].length <= mostOutput) return;
        reject(new DeviceRejected(device, `${file} printed more than ${mostOutput} characters`));
      });
    }
    child.once('error', (error) => reject(notStarted(device, file, hint, error)));
    child.once('close', (status, cause) => {
      if (status !== null) resolve({ status, ...output });
      else reject(new DeviceRejected(device, `${file} was terminated by ${cause}`));
    });
  });
}

function notStarted(device: string, file: string, hint: string, error: Error): DeviceRejected {
  const code = errorCode(error) ?? '';
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be run (${code})`;
  return new DeviceRejected(device, `${file} ${what}; ${hint}`);
}

/** Ends it and its children, politely first. */
async function end(child: Child): Promise<void> {
  child.stdout.destroy();
  child.stderr.destroy();
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  await new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(resolve, graceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // No process is left in the group.
  }
}
