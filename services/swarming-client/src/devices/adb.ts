/** The adb commands of this agent; decides which attached phone is which in rack.yaml: by serial number, or by its USB port. */
import {
  CommandFailed,
  type CommandOptions,
  type CommandResult,
  type RunCommand,
} from '@skolo/base/run-command';
import type { AttachedDevice, DeviceDeps } from './device.ts';
import { CallFailed, complaint, excerpt, listing, Missing, WrongEntry } from './look.ts';
import { type AdbDevice, readAdbDevices } from './parse/android.ts';
import { hasTwin, portOf, replacedOn, type UsbDevice } from './usb.ts';

export interface Adb {
  /** @throws NotListed, CommandFailed */
  devices(signal: AbortSignal): Promise<AdbDevice[]>;
  /** Any status. */
  try(
    args: readonly string[],
    signal: AbortSignal,
    more?: Partial<CommandOptions>,
  ): Promise<CommandResult>;
  /** @throws CallFailed, with the output of adb. */
  do(args: readonly string[], signal: AbortSignal, more?: Partial<CommandOptions>): Promise<string>;
}

export function createAdb({
  run,
  settings,
}: {
  run: RunCommand;
  settings: DeviceDeps['settings'];
}): Adb {
  const attempt: Adb['try'] = (args, signal, more) =>
    run('adb', args, { timeoutMs: settings().commandSeconds * 1000, signal, ...more });

  const command: Adb['do'] = async (args, signal, more) => {
    const result = await attempt(args, signal, more);
    if (result.status === 0) return result.stdout;
    throw new CallFailed(`adb: ${complaint(result)}`);
  };

  async function list(signal: AbortSignal): Promise<AdbDevice[]> {
    const text = await command(['devices', '-l'], signal);
    const devices = readAdbDevices(text);
    if (devices === undefined) throw new Error(`adb did not list devices: ${excerpt(text)}`);
    return devices;
  }

  return {
    try: attempt,
    do: command,
    devices: (signal) => listing(signal, () => list(signal)),
  };
}

/** A USB interface, as in `UsbDevice`. */
export const ofAdb = 'ff/42/01';

/** Arguments that select it; `-s` also accepts USB ports. */
export function addressOf({ serial, isTwin, usb, transportId }: AdbDevice): string[] {
  if (serial !== '' && !isTwin) return ['-s', serial];
  if (transportId !== undefined) return ['-t', transportId];
  return usb === undefined ? ['-d'] : ['-s', `usb:${usb}`];
}

/** Emulators, `IP:PORT` and mDNS. */
const notOnUsb = /^emulator-\d+$|:\d+$|\._tcp\.?$/;

type Wanted = Pick<AttachedDevice, 'serial' | 'power' | 'name' | 'kind'>;

/**
 * The listed devices that can be meant by an entry of rack.yaml. One that is not on USB must be named by its `serial`: an emulator that
 * somebody started is no phone. Some versions of adb do not print the USB port of a phone, which then must be the only one.
 */
export function candidates({ serial, power }: Wanted, devices: readonly AdbDevice[]): AdbDevice[] {
  if (serial !== undefined) return devices.filter((one) => isSamePhone(one.serial, serial));
  const mayBe = (one: AdbDevice) => devices.length === 1 && !power && !notOnUsb.test(one.serial);
  return devices.filter((one) => one.usb !== undefined || mayBe(one));
}

/** Why no listed device can be meant. */
export function noCandidate({ serial, power }: Wanted, devices: readonly AdbDevice[]): Missing {
  if (devices.length === 0) return new Missing('not attached: adb does not list any devices');
  const others = devices.filter(({ usb }) => usb === undefined);
  const which = serial === undefined ? 'on USB' : `with the serial number ${serial}`;
  const hint = '; what is not on USB counts only if rack.yaml names it (`serial: IP:PORT`)';
  const list = `${namesOf(devices)}${others.length > 0 ? hint : ''}`;
  const why = `not attached: adb does not list a device ${which}; attached: ${list}`;
  // Without a serial number or a port, one of them may be meant, and healthy.
  const isOpen = !serial && !power && others.some(({ state }) => state === 'device');
  return isOpen ? new WrongEntry(why) : new Missing(why);
}

/**
 * The selected device: by its serial number, and by its USB port if several devices are attached, or in rack.yaml, with this number.
 *
 * @param listUsb called only if adb does not list the device
 * @param siblings all devices of the machine in rack.yaml
 * @throws Missing It is not attached, or several match.
 */
export async function chosen(
  device: Wanted,
  devices: readonly AdbDevice[],
  listUsb: () => Promise<readonly UsbDevice[]>,
  siblings: readonly AttachedDevice[],
): Promise<AdbDevice> {
  const { serial } = device;
  const fitting = candidates(device, devices);
  const [first, second] = fitting;
  const port = portOf(device);
  const mustBeOnPort = port !== undefined && (second !== undefined || hasTwin(device, siblings));
  if (first !== undefined && second === undefined && !mustBeOnPort) return first;
  const onPort = devices.find(({ usb: its }) => its !== undefined && its === port);
  if (onPort !== undefined && fitting.includes(onPort)) return { ...onPort, isTwin: true };
  if (onPort !== undefined && onPort.serial !== '' && !notOnUsb.test(serial ?? ''))
    throw replacedOn(port, onPort.serial);
  if (mustBeOnPort)
    throw new Missing(`not attached to USB port ${port}; attached: ${namesOf(devices) || 'none'}`);
  if (second !== undefined) {
    const names = namesOf(fitting);
    throw new WrongEntry(
      serial === undefined
        ? `${fitting.length} devices are attached (${names}); set \`serial\` in rack.yaml to select one`
        : `${fitting.length} devices have the serial number ${serial} (${names}); set \`power\` in rack.yaml to the USB port of each, or unplug all but one`,
    );
  }
  const usb = await listUsb();
  // A server that was just started, by whomever, may not have seen yet what is on USB.
  const mayBe = usb.some(({ interfaces }) => interfaces.includes(ofAdb));
  const onBus = notListed(serial, usb);
  if (onBus === undefined) throw noCandidate(device, devices);
  throw mayBe ? new CallFailed(onBus.message, onBus.code) : onBus;
}

/** adb prints leading blanks of a serial number, which are hardly visible. */
export function isSamePhone(one: string, other: string): boolean {
  return one.trim() === other.trim();
}

function namesOf(devices: readonly AdbDevice[]): string {
  return devices
    .map(({ serial, usb }) => `${serial || 'no serial'}${usb ? ` on USB port ${usb}` : ''}`)
    .join(', ');
}

/** Why adb does not list it although USB does; undefined: nor does USB. */
function notListed(serial: string | undefined, usb: readonly UsbDevice[]): Missing | undefined {
  const onBus = usb.filter((one) => serial === undefined || one.serial === serial.trim());
  const has = (kind: string) => onBus.some(({ interfaces }) => interfaces.includes(kind));
  if (has('ff/42/03'))
    return new Missing('in bootloader mode (fastboot); restart it with `fastboot reboot`');
  if (has(ofAdb))
    return new Missing(
      'connected over USB, but adb does not list it; the adb server may need a restart',
    );
  if (serial === undefined || onBus.length === 0) return undefined;
  return new Missing(
    `${serial} is connected over USB, but USB debugging is off; turn it on in the developer options`,
    'needs-person',
  );
}

const states: Readonly<Record<string, string>> = {
  offline:
    'offline: adb lists the device, but it is not responding; reconnect, reboot or replug it',
  unauthorized: "unauthorized; accept this machine's key on the device's screen",
  authorizing: 'adb is still connecting (authorizing)',
  connecting: 'adb is still connecting',
  'no permissions':
    "no permissions: the agent's user cannot open the USB device; install the udev rules (package android-sdk-platform-tools-common), or run the agent as root",
  recovery: 'in recovery mode; restart it with `adb reboot`',
  sideload: 'in sideload mode; restart it with `adb reboot`',
  rescue: 'in rescue mode; restart it with `adb reboot`',
  bootloader: 'in bootloader mode; restart it with `fastboot reboot`',
};

const forPerson = ['unauthorized', 'no permissions'];

/** @throws Missing A device in this state cannot be used. */
export function assertUsable({ state }: Pick<AdbDevice, 'state'>): void {
  if (state === 'device') return;
  const code = forPerson.includes(state) ? 'needs-person' : undefined;
  throw new Missing(states[state] ?? `adb reports "${state}"`, code);
}

export function isTimeout(error: unknown): boolean {
  return error instanceof CommandFailed && error.code === 'timeout';
}
