/**
 * uhubctl for one port of one hub: its arguments, and what it says of that port. Shared by whoever switches a machine's
 * hub: the agent on it, and the power-cycle daemon over ssh. Loads nothing, since the agent has to stay small.
 *
 * Source: uhubctl.c of 2.5.0.
 */
import type { UsbPort } from './rack.ts';

/** A port as uhubctl shows it. */
export interface UsbPortReading {
  state: 'on' | 'off';
  /** Something is connected, or power stays on although the port is set off: a hub without real switches. */
  delivering?: boolean;
}

const hubPattern = /^\d{1,3}(-\d{1,3}(\.\d{1,3})*)?$/;

/**
 * Without `-p` uhubctl acts on all ports, without `-l` on all hubs; an empty one is as good as none. So both are made
 * of what was checked, here and nowhere else. `-r`: some hubs turn a port off only when told often (labgrid sends 100, which
 * takes 2 s). `-N`: no texts of attached devices, which belong to whoever owns the phone.
 *
 * @throws RangeError The port is none.
 */
export function uhubctlArgs({ hub, port }: UsbPort, action?: 'on' | 'off'): string[] {
  if (!hubPattern.test(hub) || !Number.isInteger(port) || port < 1) {
    throw new RangeError(`no USB port: ${JSON.stringify({ hub, port })}`);
  }
  const what = { on: ['-a', 'on'], off: ['-a', 'off', '-r', '100'], read: [] }[action ?? 'read'];
  return ['-N', '-l', hub, '-p', String(port), ...what];
}

/**
 * The port as the last block of exactly that hub shows it. Other blocks are of its USB 3 half, which shares the power:
 * while one of them has the port on, there is power.
 *
 * Undefined where the output has no such hub or port.
 */
export function portIn(output: string, { hub, port }: UsbPort): UsbPortReading | undefined {
  const words = new Map<string, string[]>();
  let location: string | undefined;
  // A last line without its end was cut off.
  for (const line of output.split('\n').slice(0, -1)) {
    const block = /^(?:Current|New) status for hub (\S+) \[/.exec(line);
    if (block) location = block[1];
    const found = /^ {2}Port (\d+): [0-9a-f]{4}(?: (.*))?$/.exec(line);
    if (found && location !== undefined && Number(found[1]) === port) {
      words.set(location, (found[2] ?? '').split('[')[0]?.trim().split(' ') ?? []);
    }
  }
  const own = words.get(hub);
  if (own === undefined) return undefined;
  if (own.includes('power')) {
    return { state: 'on', ...(own.includes('connect') && { delivering: true }) };
  }
  const hasPower = own.includes('connect') || [...words.values()].some((w) => w.includes('power'));
  return { state: 'off', ...(hasPower && { delivering: true }) };
}

const reasons: [RegExp, string][] = [
  [/a password is required/, 'sudo wants a password; let the user run uhubctl with NOPASSWD'],
  [/not allowed to execute|not in the sudoers/, 'sudo does not let the user run uhubctl'],
  [/uhubctl: command not found/, 'uhubctl is not installed there'],
  [/invalid option -- '?N/, 'its uhubctl is older than 2.5.0'],
  [/Failed to control port power/, 'the hub did not take it'],
  [/No compatible devices detected/, 'there is no such hub, or its ports cannot be switched'],
];

/** Why it did not do it, for people. Undefined where nothing says that it failed: status 0 says nothing. */
export function whyUhubctlFailed(status: number | undefined, stderr: string): string | undefined {
  const known = reasons.find(([pattern]) => pattern.test(stderr))?.[1];
  if (known !== undefined || status === 0 || status === undefined) return known;
  const said = stderr
    .trim()
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 200);
  return `fails with status ${status}: ${said}`;
}
