/** The adb commands of this agent. */
import {
  CommandFailed,
  type CommandOptions,
  type CommandResult,
  type RunCommand,
} from '../host/run-command.ts';
import type { AttachedDevice, DeviceDeps } from './device.ts';
import { complaint, Missing } from './look.ts';
import { type AdbDevice, readAdbDevices } from './parse/android.ts';
import type { UsbDevice } from './usb.ts';

export interface Adb {
  devices(signal: AbortSignal): Promise<AdbDevice[]>;
  /** Any status. */
  try(
    args: readonly string[],
    signal: AbortSignal,
    more?: Partial<CommandOptions>,
  ): Promise<CommandResult>;
  /** @throws Missing, with the output of adb. */
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
    throw new Missing(`adb: ${complaint(result)}`);
  };

  return {
    try: attempt,
    do: command,
    devices: async (signal) => readAdbDevices(await command(['devices', '-l'], signal)),
  };
}

/** Arguments that select it. */
export function addressOf({ serial, transportId }: AdbDevice): string[] {
  if (serial !== '') return ['-s', serial];
  return transportId === undefined ? ['-d'] : ['-t', transportId];
}

/**
 * The selected device.
 *
 * @throws Missing It is not attached, or several match.
 */
export function chosen(
  { serial }: Pick<AttachedDevice, 'serial'>,
  devices: readonly AdbDevice[],
  usb: readonly UsbDevice[],
): AdbDevice {
  const fitting = serial === undefined ? devices : devices.filter((one) => one.serial === serial);
  const [first, second] = fitting;
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    throw new Missing(
      serial === undefined
        ? `${devices.length} devices are attached (${namesOf(devices)}); set \`serial\` in rack.yaml to select one`
        : `${fitting.length} devices have the serial number ${serial}; unplug all but one`,
    );
  }
  throw new Missing(whyNotThere(serial, devices, usb));
}

function namesOf(devices: readonly AdbDevice[]): string {
  return devices.map((one) => one.serial || 'no serial').join(', ');
}

function whyNotThere(
  serial: string | undefined,
  devices: readonly AdbDevice[],
  usb: readonly UsbDevice[],
): string {
  const onBus = usb.filter((one) => serial === undefined || one.serial === serial);
  const has = (kind: string) => onBus.some(({ interfaces }) => interfaces.includes(kind));
  if (has('ff/42/03')) return 'in bootloader mode (fastboot); restart it with `fastboot reboot`';
  if (has('ff/42/01'))
    return 'connected over USB, but adb does not list it; the adb server may need a restart';
  if (serial === undefined) return 'not attached: adb does not list any devices';
  if (onBus.length > 0) {
    return `${serial} is connected over USB, but USB debugging is off; turn it on in the developer options`;
  }
  const others = devices.length > 0 ? `; attached: ${namesOf(devices)}` : '';
  return `not attached: adb does not list a device with the serial number ${serial}${others}`;
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

/** Why a device in this state cannot be used; undefined: it can. */
export function whyNotUsable(state: string): string | undefined {
  return state === 'device' ? undefined : (states[state] ?? `adb reports "${state}"`);
}

export function isTimeout(error: unknown): boolean {
  return error instanceof CommandFailed && error.code === 'timeout';
}
