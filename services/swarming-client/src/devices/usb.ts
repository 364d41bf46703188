/**
 * Lists what is on USB, from the kernel (sysfs), which takes no process, and is correct even while a program hangs. Decides which USB port
 * is meant by `power`, and when a device must be on it.
 */
import { join } from 'node:path';
import { namesIn, textOf } from '../host/quiet-files.ts';
import type { AttachedDevice } from './device.ts';
import { WrongEntry } from './look.ts';

export interface UsbDevice {
  /** `1-1.2`: bus and ports. */
  path: string;
  /** Four hexadecimal digits each. */
  vendor: string;
  product: string;
  name: string;
  serial?: string | undefined;
  /** Class, subclass and protocol, such as `ff/42/01` for adb and `ff/42/03` for fastboot. */
  interfaces: readonly string[];
}

/** Empty if there is no USB, or it is not visible. */
export async function listUsb(sysfs = '/sys'): Promise<UsbDevice[]> {
  const folder = join(sysfs, 'bus/usb/devices');
  const names = await namesIn(folder);
  const paths = names.filter((name) => /^\d+-[\d.]+$/.test(name));
  const all = await Promise.all(paths.map((path) => readDevice(folder, path, names)));
  return all.filter((device) => device !== undefined);
}

async function readDevice(
  folder: string,
  path: string,
  names: readonly string[],
): Promise<UsbDevice | undefined> {
  const read = async (node: string, file: string) =>
    (await textOf(join(folder, node, file)))?.trim() ?? '';
  const vendor = await read(path, 'idVendor');
  // It was unplugged meanwhile.
  if (vendor === '') return undefined;
  const serial = await read(path, 'serial');
  const parts = ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol'];
  const nodes = names.filter((name) => name.startsWith(`${path}:`));
  const interfaces = await Promise.all(
    nodes.map(async (node) => (await Promise.all(parts.map((part) => read(node, part)))).join('/')),
  );
  return {
    path,
    vendor,
    product: await read(path, 'idProduct'),
    name: await read(path, 'product'),
    serial: serial || undefined,
    interfaces,
  };
}

/** Its USB port in rack.yaml, as `UsbDevice.path`. */
export function portOf({ power }: Pick<AttachedDevice, 'power'>): string | undefined {
  return power && `${power.hub}${power.hub.includes('-') ? '.' : '-'}${power.port}`;
}

type Entry = Pick<AttachedDevice, 'name' | 'kind' | 'serial'>;

/** One of two devices with the same serial number in rack.yaml, or without one, is not the other one: it must be on its port. */
export function hasTwin({ name, kind, serial }: Entry, siblings: readonly Entry[]): boolean {
  return siblings.some((one) => one.name !== name && one.kind === kind && one.serial === serial);
}

/** Another device is on its port. */
export function replacedOn(port: string | undefined, serial: string): WrongEntry {
  return new WrongEntry(
    `USB port ${port} has another device, ${serial}; if it replaces this one, change \`serial\` in rack.yaml`,
  );
}
