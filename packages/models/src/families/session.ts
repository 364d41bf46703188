/** Sessions with a device of rack.yaml: where it is, how to sign in, and one at a time for each. */
import {
  addressOf,
  type CliSession,
  DeviceRefused,
  type Dialect,
  type ExecResult,
  type ExecSession,
  openCli,
  openExec,
  type PoolSession,
  targetOf,
} from '@skolo/equipment';
import type { Device } from '../device.ts';
import type { DriverDeps } from '../outlets.ts';

type Deps = Pick<DriverDeps, 'credentials' | 'sessions' | 'hostKeys'>;

/** Works at the device's command line, which is kept for a moment: ten calls are one login. */
export type UseSession<S> = <T>(
  work: (session: S, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

export function cliOf(device: Device, deps: Deps, dialect: Dialect): UseSession<CliSession> {
  return sharing(device, deps, (signal) => openCliOf(device, deps, dialect, signal));
}

export function execOf(device: Device, deps: Deps): UseSession<ExecSession> {
  return sharing(device, deps, (signal) => openExecOf(device, deps, signal));
}

/** For a driver whose sessions are its own kind. */
export function sharing<S extends PoolSession>(
  { name }: Device,
  { sessions }: Deps,
  open: (signal: AbortSignal) => Promise<S>,
): UseSession<S> {
  return (work, signal) => sessions.use(name, open, work, signal);
}

export async function openCliOf(
  device: Device,
  deps: Deps,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<CliSession> {
  const transport = device.transport === 'telnet' ? 'telnet' : 'ssh';
  const target = await targetOf({ ...device, address: addressOf(device) }, deps, transport);
  return openCli(target, transport, dialect, deps, signal);
}

export async function openExecOf(
  device: Device,
  deps: Deps,
  signal: AbortSignal,
): Promise<ExecSession> {
  const target = await targetOf({ ...device, address: addressOf(device) }, deps, 'ssh');
  return openExec(target, deps, signal);
}

/** Runs a `show` command once, however often its answer is needed. */
export function askOnce(
  cli: CliSession,
  signal: AbortSignal,
): (command: string) => Promise<string> {
  const answers = new Map<string, Promise<string>>();
  return (command) => {
    const answer = answers.get(command) ?? cli.run(command, { signal });
    answers.set(command, answer);
    return answer;
  };
}

/** Output of a device for an error: one line, not too long. */
export function shortened(output: string): string {
  return output.trim().replaceAll(/\s+/g, ' ').slice(0, 200);
}

/**
 * What a command printed, where it succeeded.
 *
 * @throws DeviceRefused It failed, or reports no status.
 */
export function succeeded(device: Device, command: string, result: ExecResult): string {
  const { status, stdout, stderr } = result;
  if (status === 0) return stdout;
  const output = shortened(stderr) || shortened(stdout);
  const how = status === undefined ? 'reports no exit status' : `fails with exit status ${status}`;
  const what = `${JSON.stringify(command)} ${how}${output && `: ${output}`}`;
  throw new DeviceRefused(device.name, what);
}
