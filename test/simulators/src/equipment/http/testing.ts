/** What the tests of this folder share. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach, onTestFinished } from 'vitest';
import { type PeerName, peer } from '../../peer.ts';
import type { OutletChange, SimulatedDevice } from '../device.ts';

const run = promisify(execFile);

/** Skips the tests around it where a real counterpart is not installed. */
export function needs(name: PeerName): void {
  beforeEach((context) => {
    if (peer(name) === undefined) context.skip(`${name} is not installed`);
  });
}

/** Closes a device when the test ends. */
export async function closing<D extends SimulatedDevice>(starting: Promise<D>): Promise<D> {
  const device = await starting;
  onTestFinished(() => device.close());
  return device;
}

interface Curled {
  /** 0 where no answer came. */
  status: number;
  body: string;
}

/** What curl is answered. */
export async function curl(program: string, ...args: string[]): Promise<Curled> {
  const always = ['-sk', '--noproxy', '*', '--max-time', '600', '-w', '\n%{http_code}'];
  const { stdout } = await run(program, [...always, ...args]).catch((error: unknown) => {
    // It fails where no answer came, and still prints what it has.
    return { stdout: hasOutput(error) ? error.stdout : '\n000' };
  });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

function hasOutput(error: unknown): error is { stdout: string } {
  return typeof error === 'object' && error !== null && 'stdout' in error && error.stdout !== '';
}

/** Runs a few lines of Python with what the interpreter's own packages offer; gives what they print. */
export async function python(lines: string, ...args: string[]): Promise<string> {
  const interpreter = peer('labgrid') ?? '/usr/bin/python3';
  const { stdout } = await run(interpreter, ['-W', 'ignore', '-c', lines, ...args]);
  return stdout.trim();
}

/** Runs a program to its end; its exit status and all that it printed. */
export async function finished(
  program: string,
  ...args: string[]
): Promise<{ status: number; output: string }> {
  return await new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), output: `${stdout}${stderr}` });
    });
  });
}

/** The next changes of the outlets, as `1 off`. Ask before what makes them happen. */
export async function changes(device: SimulatedDevice, count: number): Promise<string[]> {
  const seen: string[] = [];
  return await new Promise((resolve) => {
    const onChange = ({ outlet, on }: OutletChange) => {
      seen.push(`${outlet} ${on ? 'on' : 'off'}`);
      if (seen.length < count) return;
      device.board.off('change', onChange);
      resolve(seen);
    };
    device.board.on('change', onChange);
  });
}

export function url(device: SimulatedDevice, path: string, scheme = 'http'): string {
  return `${scheme}://${device.host}:${device.port}${path}`;
}
