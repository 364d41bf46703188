/**
 * uhubctl 2.5.0 as Debian has it, on simulated hubs.
 *
 * Texts, order and exit status are those of its source (uhubctl.c) and, for usage and errors, of the program itself.
 * Its actions `cycle` and `toggle` are left out. Its traps are kept: without `-p`, or with an empty one, all ports are meant; without `-l` all hubs; the twin of a
 * hub is shown and switched as well; a hub that does not obey is no error.
 */
import { parseArgs } from 'node:util';
import type { Output } from '../equipment/cli/unix/box.ts';
import type { OutletBoard } from '../equipment/device.ts';
import { isPresent, type Phone, type UsbHub } from './usb.ts';

export interface Usb {
  hubs: readonly UsbHub[];
  board: OutletBoard;
  phones: readonly Phone[];
  isRoot: boolean;
  /** The hub does what it is told. */
  obeys: boolean;
}

const version = '2.5.0-1';
const usage = 'Run with -h to get usage info.\n';
const mostPorts = 14;

const options = {
  location: { type: 'string', short: 'l', default: '' },
  ports: { type: 'string', short: 'p', default: '' },
  action: { type: 'string', short: 'a', default: '' },
  delay: { type: 'string', short: 'd' },
  repeat: { type: 'string', short: 'r' },
  wait: { type: 'string', short: 'w' },
  exact: { type: 'boolean', short: 'e', default: false },
  force: { type: 'boolean', short: 'f' },
  nodesc: { type: 'boolean', short: 'N', default: false },
  nosysfs: { type: 'boolean', short: 'S' },
  reset: { type: 'boolean', short: 'R' },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

const actions: Record<string, 'off' | 'on'> = { off: 'off', 0: 'off', on: 'on', 1: 'on' };

interface UsbShown extends Usb {
  /** The words with which devices describe themselves. */
  showsText: boolean;
}

/** One half of a hub. */
interface Half {
  hub: UsbHub;
  location: string;
  description: string;
  isUsb3: boolean;
}

export function uhubctl(args: string[], usb: Usb): Output {
  let asked: ReturnType<typeof parse>;
  try {
    asked = parse(args);
  } catch (error) {
    return { stderr: `${syntaxError(error)}\n${usage}`, status: 1 };
  }
  if (asked.version) return { stdout: `${version}\n` };
  const ports = portsOf(asked.ports);
  if (typeof ports === 'string') return { stderr: ports, status: 1 };

  const halves = usb.isRoot ? halvesOf(usb.hubs, asked) : [];
  const physical = halves.filter(({ isUsb3 }) => !isUsb3 || asked.exact);
  if (physical.length === 0) {
    const where = asked.location === '' ? '' : ` at location ${asked.location}`;
    const denied = usb.isRoot
      ? ''
      : 'There were permission problems while accessing USB.\nFollow https://git.io/JIB2Z for a fix!\n';
    return {
      stderr: `${denied}No compatible devices detected${where}!\n${usage}`,
      status: 1,
    };
  }
  const action = actions[asked.action.toLowerCase()];
  if (action !== undefined && physical.length > 1) {
    return {
      stderr:
        'Error: changing port state for multiple hubs at once is not supported.\nUse -l to limit operation to one hub!\n',
      status: 1,
    };
  }
  return { stdout: carryOut(halves, ports, action, { ...usb, showsText: !asked.nodesc }) };
}

function parse(args: string[]) {
  return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
}

function syntaxError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return 'Invalid command line syntax!';
  const [, option = ''] = /'-(\w)/.exec(message) ?? [];
  return code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'
    ? `uhubctl: option requires an argument -- '${option}'`
    : `uhubctl: invalid option -- '${option}'`;
}

/** Undefined: all. A string: why not. */
function portsOf(written: string): Set<number> | undefined | string {
  if (written === '' || written.toLowerCase() === 'all') return undefined;
  const ports = new Set<number>();
  for (const part of written.split(',')) {
    const [first = 0, last = first] = part.split('-').map((text) => Number.parseInt(text, 10) || 0);
    if (first > last) {
      return `Bad port spec ${first}-${last}, first port must be less than last\n`;
    }
    if (first < 1 || last > mostPorts) {
      return `Bad port spec ${first}-${last}, port numbers must be from 1 to ${mostPorts}\n`;
    }
    for (let port = first; port <= last; port += 1) ports.add(port);
  }
  return ports;
}

/** The halves that are meant, the twin of one that is meant included; USB 3 comes first on the bus. */
function halvesOf(
  hubs: readonly UsbHub[],
  { location, exact }: { location: string; exact: boolean },
): Half[] {
  return hubs.flatMap((hub) => {
    const { description, twin } = hub;
    const halves: Half[] = [
      ...(twin ? [{ hub, isUsb3: true, ...twin }] : []),
      { hub, isUsb3: false, location: hub.location, description },
    ];
    const isMeant = (half: Half) =>
      location === '' || half.location.toLowerCase() === location.toLowerCase();
    return exact || !halves.some(isMeant) ? halves.filter(isMeant) : halves;
  });
}

function carryOut(
  halves: readonly Half[],
  ports: Set<number> | undefined,
  action: 'off' | 'on' | undefined,
  usb: UsbShown,
): string {
  const named = (half: Half) => nameOf(half, usb);
  const status = (half: Half) => statusOf(half, ports, usb);
  if (action === undefined) {
    return halves.map((half) => `Current status for ${named(half)}\n${status(half)}`).join('');
  }
  let text = '';
  for (const half of halves) {
    text += `Current status for ${named(half)}\n${status(half)}`;
    if (usb.obeys) {
      for (const port of portNames(half.hub, ports)) usb.board.set(port, action === 'on');
    }
    text += `Sent power ${action} request\nNew status for ${named(half)}\n${status(half)}`;
  }
  return text;
}

function nameOf({ location, description }: Half, { showsText }: UsbShown): string {
  const shown = showsText ? description : description.replace(/^(\w{4}:\w{4}).*(, USB \d)/, '$1$2');
  return `hub ${location} [${shown}]`;
}

function portNames({ location, ports: count }: UsbHub, ports: Set<number> | undefined): string[] {
  return Array.from({ length: count }, (_, index) => index + 1)
    .filter((port) => ports === undefined || ports.has(port))
    .map((port) => `usb/${location}.${port}`);
}

/** wPortStatus of USB 2.0 (11.24.2.7.1) and 3.2 (10.16.2.6.1), in hexadecimal and in words. */
function statusOf({ hub, isUsb3 }: Half, ports: Set<number> | undefined, usb: UsbShown): string {
  return portNames(hub, ports)
    .map((name) => {
      const port = name.slice(name.lastIndexOf('.') + 1);
      const on = usb.board.isOn(name);
      const phone = usb.phones.find((candidate) => candidate.port === name);
      if (isUsb3) return `  Port ${port}: ${on ? '02a0 power 5gbps Rx.Detect' : '0080 off'}\n`;
      if (!on) return `  Port ${port}: 0000 off\n`;
      if (!phone || !isPresent(phone, usb.board, usb.hubs)) return `  Port ${port}: 0100 power\n`;
      const what = usb.showsText ? `18d1:4ee7 ${phone.text ?? 'Google Pixel 5'}` : '18d1:4ee7';
      return `  Port ${port}: 0503 power highspeed enable connect [${what}]\n`;
    })
    .join('');
}
