/** Sessions with devices in rack.yaml: address and sign-in, one session at a time for each. */
import {
  type CliSession,
  DeviceRejected,
  type Dialect,
  type ExecResult,
  type ExecSession,
  openCli,
  openExec,
  type PoolSession,
  targetOf,
} from '@skolo/equipment/transports';
import type { Device } from '../../contract/device.ts';
import type { DriverDeps } from '../../contract/outlets.ts';

/** Works in the device's session, which is kept for a moment: ten calls need one sign-in. */
type UseSession<S> = <T>(work: (session: S) => Promise<T>, signal: AbortSignal) => Promise<T>;

/** A command line, whose commands are aborted with the work's signal. */
export interface Cli extends Pick<CliSession, 'close'> {
  device: string;
  run(command: string): Promise<string>;
}

/** Commands in their own channels, which are aborted with the work's signal. */
export interface Shell {
  device: string;
  exec(command: string, limit?: { timeoutMs: number }): Promise<ExecResult>;
}

export function cliOf(device: Device, deps: DriverDeps, dialect: Dialect): UseSession<Cli> {
  return sharing(device, deps, (signal) => openCliOf(device, deps, dialect, signal), cliWithin);
}

export function shellOf(device: Device, deps: DriverDeps): UseSession<Shell> {
  return sharing(device, deps, (signal) => openExecOf(device, deps, signal), shellWithin);
}

/** For a driver with its own kind of session. */
export function sharing<S extends PoolSession, W>(
  { name }: Device,
  { sessions }: Pick<DriverDeps, 'sessions'>,
  open: (signal: AbortSignal) => Promise<S>,
  within: (device: string, session: S, signal: AbortSignal) => W,
): UseSession<W> {
  return (work, signal) =>
    sessions.use(name, open, (session, either) => work(within(name, session, either)), signal);
}

export function cliWithin(device: string, session: CliSession, signal: AbortSignal): Cli {
  const run = (command: string) => session.run(command, { signal });
  return { device, run, close: () => session.close() };
}

export function shellWithin(device: string, session: ExecSession, signal: AbortSignal): Shell {
  return { device, exec: (command, limit) => session.exec(command, { signal, ...limit }) };
}

export async function openCliOf(
  device: Device,
  deps: DriverDeps,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<CliSession> {
  const transport = device.transport === 'telnet' ? 'telnet' : 'ssh';
  const target = await targetOf(device, deps, transport);
  return openCli(target, transport, dialect, deps, signal);
}

export async function openExecOf(
  device: Device,
  deps: DriverDeps,
  signal: AbortSignal,
): Promise<ExecSession> {
  const target = await targetOf(device, deps, 'ssh');
  return openExec(target, deps, signal);
}

/** Runs a `show` command for one port, or once for all. */
export type Ask = (command: string, one: string) => Promise<string>;

/** @param all instead of `one`, if all are read with one command. Each command runs once, however often its answer is used. */
export function askOnce(cli: Cli, all?: string): Ask {
  const answers = new Map<string, Promise<string>>();
  return (command, one) => {
    const whole = `${command} ${all ?? one}`.trim();
    const answer = answers.get(whole) ?? cli.run(whole);
    answers.set(whole, answer);
    return answer;
  };
}

/** A device's output for an error: one line, shortened. */
export function shortened(output: string): string {
  return output.trim().replaceAll(/\s+/g, ' ').slice(0, 200);
}

/**
 * A command's output.
 *
 * @throws DeviceRejected Its status is neither 0 nor in `accepted`, or it reports none.
 */
export async function outputOf(shell: Shell, command: string, accepted = 0): Promise<string> {
  const { status, stdout, stderr } = await shell.exec(command);
  if (status === 0 || status === accepted) return stdout;
  const output = shortened(stderr) || shortened(stdout);
  const how =
    status === undefined ? 'did not report an exit status' : `failed with exit status ${status}`;
  const what = `${JSON.stringify(command)} ${how}${output && `: ${output}`}`;
  throw new DeviceRejected(shell.device, what);
}
