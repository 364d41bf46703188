/** Runs a program for a driver, in an environment of its own. */
import { shellWord } from '@skolo/base';
import { CommandFailed, runCommand } from '@skolo/base/run-command';
import { type DeviceError, DeviceRejected, DeviceTimeout } from './errors.ts';
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

const mostBytes = 64 * 1024;
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
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = '/' } = process.env;
  const own = { PATH, HOME, LC_ALL: 'C', ...env };
  const limits = { timeoutMs, signal, mostBytes, graceMs };
  const options = { ...limits, env: own, cwd: process.cwd() };
  const { status, endedBy, ...output } = await runCommand(file, args, options).catch(
    (error: unknown) => {
      throw error instanceof CommandFailed ? inWords(device, file, error, hint) : error;
    },
  );
  if (status !== undefined) return { status, ...output };
  throw new DeviceRejected(device, `${file} was terminated by ${endedBy}`);
}

function inWords(
  device: string,
  file: string,
  { code, message }: CommandFailed,
  hint: string,
): DeviceError {
  if (code === 'timeout') return new DeviceTimeout(device, message);
  if (code === 'too-much') return new DeviceRejected(device, message);
  const what = code === 'missing' ? `${file} does not exist` : message;
  return new DeviceRejected(device, `${what}; ${hint}`);
}
