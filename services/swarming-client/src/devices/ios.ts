/**
 * iPhones and iPads, through the tools of libimobiledevice. Decides which of several attached ones is meant: the one with `serial`,
 * or at the USB port of `power`.
 *
 * rack.yaml: `device: { kind: ios }`; if one machine has several, each with its UDID as `serial`, or its port as `power`. It must trust this
 * machine: unlock it, answer "Trust", keep /var/lib/lockdown. usbmuxd must run.
 */
import { open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOptions, CommandResult } from '@skolo/base/run-command';
import { dimensions } from '../dimensions.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceReading, Dimensions } from './device.ts';
import { writeIfPossible } from './evidence.ts';
import { CallFailed, complaint, listing, Missing, retried, WrongEntry } from './look.ts';
import { linesOf } from './parse/text.ts';
import { hasTwin, listUsb, portOf, replacedOn } from './usb.ts';

const mostLog = 4 * 1024 * 1024;

export function ios(device: AttachedDevice, deps: DeviceDeps): Device {
  const tools = new IosTools(device, deps);
  return {
    read: retried((signal) => tools.read(signal)),
    repairs: { 'device-reboot': (signal) => tools.restart(signal) },
    writeEvidence: (folder, signal) => tools.writeEvidence(folder, signal),
    async writeScreen(path, signal) {
      const result = await tools.screenshot(await tools.find(signal), path, signal);
      if (result.status !== 0) throw failureOf(result);
    },
  };
}

/** The programs of libimobiledevice, for one device. */
class IosTools {
  private readonly device: AttachedDevice;
  private readonly deps: DeviceDeps;

  constructor(device: AttachedDevice, deps: DeviceDeps) {
    this.device = device;
    this.deps = deps;
  }

  async find(signal: AbortSignal): Promise<string> {
    const { serial } = this.device;
    const udids = await listIos(this.deps, signal);
    const known = udids.find((udid) => serial !== undefined && isSameUdid(udid, serial));
    if (known !== undefined) return known;
    const port = portOf(this.device);
    const usb = port === undefined ? [] : await listUsb(this.deps.sysfs);
    const atPort = usb.find(({ path }) => path === port)?.serial ?? '';
    const onPort = udids.find((udid) => isSameUdid(udid, atPort));
    const others = udids.length > 0 ? `; attached: ${udids.join(', ')}` : '';
    if (serial !== undefined) {
      if (onPort !== undefined) throw replacedOn(port, onPort);
      throw new Missing(`not attached: no device ${serial}${others}`);
    }
    if (onPort !== undefined) return onPort;
    const [first, second] = udids;
    if (first === undefined) throw new Missing('not attached: usbmuxd does not list any devices');
    if (usb.length > 0 && (second !== undefined || hasTwin(this.device, this.deps.attached())))
      throw new Missing(`not attached to USB port ${port}${others}`);
    if (second === undefined) return first;
    throw new WrongEntry(
      `${udids.length} devices are attached (${udids.join(', ')}); set \`serial\` in rack.yaml to the UDID of one, or \`power\` to its USB port`,
    );
  }

  async read(signal: AbortSignal): Promise<DeviceReading> {
    const udid = await this.find(signal);
    const [about, battery] = await Promise.allSettled([
      this.info(udid, [], signal),
      this.info(udid, ['-q', 'com.apple.mobile.battery'], signal),
    ]);
    signal.throwIfAborted();
    if (about.status === 'rejected') throw about.reason;
    const [type, version] = ['ProductType', 'ProductVersion'].map((key) => about.value.get(key));
    if (!type || !version) {
      throw new Missing(
        'ideviceinfo prints neither ProductType nor ProductVersion; reboot the device',
      );
    }
    const known = battery.status === 'fulfilled' ? battery.value : new Map<string, string>();
    const capacity = known.get('BatteryCurrentCapacity') ?? '';
    const isLevel = /^\d{1,3}$/.test(capacity) && Number(capacity) <= 100;
    return {
      dimensions: iosDimensions(type, version),
      serial: udid,
      batteryPercent: isLevel ? Number(capacity) : undefined,
      // An Apple TV reports that it has none.
      unread: { battery: !isLevel && known.get('HasBattery') !== 'false', heat: false },
      temperatures: {},
    };
  }

  async restart(signal: AbortSignal): Promise<void> {
    const udid = await this.find(signal);
    const result = await this.attempt('idevicediagnostics', ['-u', udid, 'restart'], signal);
    // It prints that, but exits with 0.
    const isRejected = /^ERROR|failed/im.test(result.stdout + result.stderr);
    if (result.status !== 0 || isRejected) throw failureOf(result);
  }

  async writeEvidence(folder: string, signal: AbortSignal): Promise<string[]> {
    const listed = await writeIfPossible(folder, 'idevices.txt', signal, async (path) => {
      const { stdout, stderr } = await this.attempt('idevice_id', ['-l'], signal);
      await writeFile(path, stdout + stderr);
    });
    const udid = await this.find(signal).catch(() => undefined);
    signal.throwIfAborted();
    if (udid === undefined) return listed;
    // It never ends by itself: its time-out ends it, and the output until then is kept.
    const log = await writeIfPossible(folder, 'syslog.txt', signal, (stdoutFile) =>
      this.attempt('idevicesyslog', ['-u', udid], signal, { stdoutFile, mostBytes: mostLog }),
    );
    const screen = await writeIfPossible(folder, 'screen', signal, (path) =>
      this.screenshot(udid, path, signal),
    );
    const shown = await Promise.all(screen.map((name) => withEnding(folder, name)));
    return [...listed, ...log, ...shown];
  }

  screenshot(udid: string, path: string, signal: AbortSignal): Promise<CommandResult> {
    return this.attempt('idevicescreenshot', ['-u', udid, path], signal);
  }

  private async info(udid: string, more: readonly string[], signal: AbortSignal) {
    const result = await this.attempt('ideviceinfo', ['-u', udid, ...more], signal);
    // Some versions print errors, but exit with 0.
    const hasFailed = result.status !== 0 || /^ERROR/m.test(result.stdout + result.stderr);
    if (hasFailed) throw failureOf(result);
    return readIdeviceInfo(result.stdout);
  }

  private attempt(
    tool: string,
    args: readonly string[],
    signal: AbortSignal,
    more?: Partial<CommandOptions>,
  ): Promise<CommandResult> {
    const timeoutMs = this.deps.settings().commandSeconds * 1000;
    return this.deps.run(tool, args, { timeoutMs, signal, ...more });
  }
}

/** UDIDs of attached devices. @throws NotListed, CommandFailed */
export function listIos({ run, settings }: DeviceDeps, signal: AbortSignal): Promise<string[]> {
  return listing(signal, async () => {
    const timeoutMs = settings().commandSeconds * 1000;
    const result = await run('idevice_id', ['-l'], { timeoutMs, signal });
    const udids = readUdids(result.stdout);
    const hasFailed = result.status !== 0 || /^ERROR/m.test(result.stdout + result.stderr);
    if (udids.length === 0 && hasFailed) throw failureOf(result);
    return udids;
  });
}

/** Older devices send TIFF, newer ones PNG. */
async function withEnding(folder: string, name: string): Promise<string> {
  const file = await open(join(folder, name));
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0).finally(() => file.close());
  const named = `${name}.${buffer.toString('latin1').endsWith('PNG') ? 'png' : 'tiff'}`;
  await rename(join(folder, name), join(folder, named));
  return named;
}

/** Some programs write the hyphen of a newer UDID, some do not; nor does USB. */
export function isSameUdid(one: string, other: string): boolean {
  const plain = (text: string) => text.replaceAll('-', '').toLowerCase();
  return plain(one) === plain(other);
}

function iosDimensions(type: string, version: string): Dimensions {
  return dimensions({ os: ['iOS', `iOS-${version}`], device_type: [type] });
}

const pairAgain = 'run `idevicepair unpair` and `idevicepair pair`, unlock it, and tap "Trust"';

/**
 * What only a person can change, by lockdownd's errors, as numbered in libimobiledevice 1.3 (`include/libimobiledevice/lockdown.h`). Some
 * tools print `error code -17`, some `Password protected (-17)`. Before 1.2, an invalid pairing was -16.
 */
const forPerson: readonly [codes: RegExp, why: string][] = [
  [/-17\b/, 'locked with a passcode; unlock it, or preferably turn the passcode off'],
  [/-18\b/, 'somebody tapped "Don\'t Trust"; replug it, unlock it and tap "Trust"'],
  [/-19\b/, 'the device does not trust this machine yet; unlock it and tap "Trust"'],
  [/-(16|20|21|4|29)\b/, `not paired with this machine any more; ${pairAgain}`],
  [/-(5|24|25|30|31)\b/, `its pairing with this machine is damaged; ${pairAgain}`],
  [
    /-35\b/,
    'not unlocked since it booted; enter its passcode, or preferably turn the passcode off',
  ],
  [/-36\b/, 'cannot be paired over this connection; connect it over USB'],
  [/-3[23]\b/, 'not activated; activate it on its screen'],
  [/-37\b/, 'marked as lost; end that in Find My'],
  [/-3[89]\b/, 'its management profile forbids pairing with this machine; allow it in the profile'],
];

const others: typeof forPerson = [
  [/-8\b/, 'the connection keeps dropping; replug it'],
  [/unable to retrieve device list/i, 'usbmuxd is not responding; restart it'],
  [/no device found|device \S+ not found/i, 'not attached: usbmuxd no longer lists it'],
];

function failureOf(result: CommandResult): CallFailed {
  const output = complaint(result);
  const isIt = ([pattern]: (typeof forPerson)[number]) => pattern.test(output);
  const ofPerson = forPerson.find(isIt);
  const why = (ofPerson ?? others.find(isIt))?.[1];
  return new CallFailed(
    why === undefined ? output : `${why} (${output})`,
    ofPerson && 'needs-person',
  );
}

/** The output of `ideviceinfo`: `ProductType: iPhone12,1`, one per line. Indented lines belong to a list or a map above. */
export function readIdeviceInfo(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(line) ?? [];
    if (key !== undefined && value?.trim()) values.set(key, value.trim());
  }
  return values;
}

/** UDIDs as `idevice_id -l` prints them: 40 hexadecimal digits, or 8 and 16 with a hyphen since 2018. */
export function readUdids(text: string): string[] {
  const found = linesOf(text).map(
    (line) => /^([0-9A-Fa-f-]{24,40})(\s+\(USB\))?\s*$/.exec(line)?.[1],
  );
  return [...new Set(found.filter((udid) => udid !== undefined))];
}
