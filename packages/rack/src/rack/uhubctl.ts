/**
 * uhubctl for one port of one hub: its arguments and output. Shared by the agent and the power-cycle daemon, which uses ssh.
 * Imports nothing, because the agent must stay small.
 *
 * Source: uhubctl.c of 2.5.0.
 */
import type { UsbPort } from '../schema/outlets.ts';

/** A port as printed by uhubctl. */
export interface UsbPortReading {
  state: 'on' | 'off';
  /** A device is connected, or power stays on although the port is off: a hub without real switches. */
  delivering?: boolean;
}

/**
 * Hubs in Raspberry Pis, as printed by uhubctl, with the ports that are powered together. uhubctl shows each port as off that was turned
 * off. The power stays until all of them are (Pi 4), or port 2 is (Pi 2, 3 and 3 B+; the network card is behind their port 1).
 * A 3 B+ has a common chip, so its position also counts. Unknown: the ports of its second hub, 1-1.1, whose power port 2
 * of the first one also cuts; and a Pi 5, whose root hubs 1 and 3 require uhubctl 2.6 and must both be off.
 *
 * Source: raspberrypi/linux#3079; mvp/uhubctl#52, #64, #226, #309, #353, #491; 3 B+: #138, #215, #275; Pi 5: #547, #605, #607.
 */
const together: Readonly<Record<string, readonly number[]>> = {
  '2109:3431': [1, 2, 3, 4],
  '0424:9514': [2, 3, 4, 5],
  '1-1 0424:2514': [2, 3, 4],
};

/** Their positions; 2 is the USB 3 half of that of a Raspberry Pi 4, and 1 to 4 are the root hubs of a Raspberry Pi 5. */
export const builtInHubs: ReadonlySet<string> = new Set(['1-1', '1', '2', '3', '4']);

const hubPattern = /^\d{1,3}(-\d{1,3}(\.\d{1,3})*)?$/;

/**
 * Without `-p` uhubctl acts on all ports, without `-l` on all hubs, and an empty value counts as missing. So both are
 * checked here. `ports`: those that are switched instead of the one (`switchedWith`). `-r`: some hubs turn a port off only after many commands (labgrid sends 100, which takes 2 s). `-N`: no
 * texts of attached devices, which are not trusted.
 *
 * @throws RangeError The port is not valid.
 */
export function uhubctlArgs(
  { hub, port }: UsbPort,
  action?: 'on' | 'off',
  ports: readonly number[] = [port],
): string[] {
  if (!hubPattern.test(hub) || !Number.isInteger(port) || port < 1) {
    throw new RangeError(`not a USB port: ${JSON.stringify({ hub, port })}`);
  }
  const what = { on: ['-a', 'on'], off: ['-a', 'off', '-r', '100'], read: [] }[action ?? 'read'];
  return ['-N', '-l', hub, '-p', ports.join(','), ...what];
}

/**
 * The port in the last block of exactly that hub. Other blocks are its USB 3 half, which shares the power: while one of
 * them has the port on, there is power.
 *
 * Undefined if the output has no such hub or port.
 */
export function portIn(output: string, { hub, port }: UsbPort): UsbPortReading | undefined {
  const words = new Map<string, string[]>();
  let location: string | undefined;
  // A last line without a line end is incomplete.
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

/**
 * The ports that are powered together with this one, including itself, from the hub's model in the output.
 *
 * @param verified the port was verified to have its own switch
 */
export function switchedWith(
  output: string,
  { hub, port }: UsbPort,
  verified = false,
): readonly number[] {
  const [, model = ''] =
    [...output.matchAll(/^(?:Current|New) status for hub (\S+) \[([0-9a-f]{4}:[0-9a-f]{4})/gm)]
      .find(([, location]) => location === hub)
      ?.slice(1) ?? [];
  const ports = verified ? undefined : (together[model] ?? together[`${hub} ${model}`]);
  return ports?.includes(port) ? ports : [port];
}

const reasons: [RegExp, string][] = [
  [/a password is required/, 'sudo requires a password; allow uhubctl with NOPASSWD'],
  [/not allowed to execute|not in the sudoers/, 'sudo does not allow the user to run uhubctl'],
  [/uhubctl: command not found/, 'uhubctl is not installed on the machine'],
  [/invalid option -- '?N/, 'uhubctl is older than 2.5.0'],
  [/Failed to control port power/, 'the hub rejected the command'],
  [/No compatible devices detected/, 'no such hub, or its ports cannot be switched'],
];

/** The reason of a failure. Undefined with status 0 and no known error. */
export function whyUhubctlFailed(status: number | undefined, stderr: string): string | undefined {
  const known = reasons.find(([pattern]) => pattern.test(stderr))?.[1];
  if (known !== undefined || status === 0 || status === undefined) return known;
  const output = stderr
    .trim()
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 200);
  return `failed with status ${status}: ${output}`;
}
