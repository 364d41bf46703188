/**
 * Decides whether an Android phone can be used, over adb: one that is offline is reconnected once, and only a person can restore one that is
 * unauthorized (accept this machine's key on its screen), or whose USB debugging is off.
 *
 * rack.yaml: `device: { kind: android }`; if one machine has several, each with its `serial`. A reading takes five short processes: the
 * list of devices, then in parallel its properties, battery, temperatures and USB ports. Oddities: before Android 7 lines end in CRLF,
 * before 10 there is no thermalservice; for old versions adb returns no command status, so only the output counts. A TV may lack the
 * services `battery` and `usb`.
 */
import { errorText } from '@skolo/base';
import type { CommandResult } from '@skolo/base/run-command';
import { dimensions } from '../dimensions.ts';
import { type Adb, addressOf, assertUsable, chosen, createAdb, isTimeout } from './adb.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceReading, Dimensions } from './device.ts';
import { androidEvidence, androidScreen } from './evidence.ts';
import { CallFailed, excerpt, listing, retried } from './look.ts';
import {
  type AdbDevice,
  hasResponded,
  readBattery,
  readConnectedAt,
  readProperties,
  readThermal,
} from './parse/android.ts';
import { readUptime } from './parse/text.ts';
import { listUsb } from './usb.ts';

export function android(device: AttachedDevice, deps: DeviceDeps): Device {
  const adb = createAdb(deps);
  /** Once per time that it goes offline; after that, the repair ladder takes over. */
  let mayReconnect = true;

  async function find(signal: AbortSignal): Promise<AdbDevice> {
    const devices = await adb.devices(signal);
    return await chosen(device, devices, () => listUsb(deps.sysfs), deps.attached());
  }

  async function read(signal: AbortSignal): Promise<DeviceReading> {
    await listing(signal, () => deps.adb.ensure(signal));
    let found = await find(signal);
    if (found.state === 'offline' && mayReconnect) {
      mayReconnect = false;
      await adb.do(['reconnect', 'offline'], signal);
      found = await find(signal);
    }
    assertUsable(found);
    mayReconnect = true;
    return await readPhone(adb, found, signal);
  }

  return {
    read: retried(read),
    repairs: {
      async 'adb-reconnect'(signal) {
        const found = await find(signal);
        await adb.do([...addressOf(found), 'reconnect'], signal);
      },
      'adb-restart': (signal) => deps.adb.restart(signal),
      async 'device-reboot'(signal) {
        const found = await find(signal);
        const isOff = () => isNotReady(adb, found, signal);
        const reboot = () => adb.do([...addressOf(found), 'reboot'], signal);
        try {
          await reboot();
        } catch (error) {
          signal.throwIfAborted();
          // Some never close the connection of the request that they follow.
          if (isTimeout(error) && (await isOff())) return;
          await adb.try(['reconnect', 'offline'], signal);
          await reboot();
        }
      },
    },
    async writeEvidence(folder, signal) {
      return await androidEvidence(adb, folder, find, signal);
    },
    async writeScreen(path, signal) {
      const found = await find(signal);
      assertUsable(found);
      await androidScreen(adb, found, path, signal);
    },
  };
}

async function isNotReady(adb: Adb, phone: AdbDevice, signal: AbortSignal): Promise<boolean> {
  const devices = await adb.devices(signal);
  const isReady = ({ serial, usb, state }: AdbDevice) =>
    serial === phone.serial && usb === phone.usb && state === 'device';
  return !devices.some(isReady);
}

async function readPhone(adb: Adb, phone: AdbDevice, signal: AbortSignal): Promise<DeviceReading> {
  const to = [...addressOf(phone), 'shell'];
  const ask = (command: string) => adb.try([...to, command], signal);
  const [first, ...dumps] = await Promise.allSettled([
    adb.do([...to, 'cat /proc/uptime && getprop'], signal),
    ask('dumpsys battery'),
    ask('dumpsys thermalservice'),
    ask('dumpsys usb'),
  ]);
  signal.throwIfAborted();
  if (first.status === 'rejected') throw first.reason;
  const [batteryText = '', thermalText = '', usbText = ''] = dumps.map(textOf);
  const uptimeSeconds = readUptime(first.value);
  if (uptimeSeconds === undefined) throw new CallFailed(whyUnreadable(first.value));
  const properties = readProperties(first.value);
  if (properties.size === 0)
    throw new CallFailed('adb lists the device, but it does not report any properties; reboot it');
  const hasBooted = ['sys.boot_completed', 'dev.bootcomplete'].some(
    (key) => properties.get(key) === '1',
  );
  const whyNotReady = hasBooted ? await whyNoServices(dumps, ask) : undefined;
  signal.throwIfAborted();
  const shown = readBattery(batteryText);
  const battery = shown.isSetByHand ? undefined : shown;
  const isMissing = (figure: number | undefined) => figure === undefined && !battery?.isAbsent;
  const connectedAt = readConnectedAt(usbText);
  const thermal = readThermal(thermalText, shown.celsius);
  return {
    dimensions: androidDimensions(properties),
    serial: phone.serial.trim() || undefined,
    batteryPercent: battery?.percent,
    charging: battery?.charging,
    connectedSeconds:
      connectedAt === undefined ? undefined : Math.max(0, Math.round(uptimeSeconds - connectedAt)),
    temperatures: {
      ...thermal.temperatures,
      ...(battery?.celsius !== undefined && { dumpsys_battery: battery.celsius }),
    },
    processorSensors: thermal.processorSensors,
    thermalStatus: thermal.isSetByHand ? undefined : thermal.status,
    uptimeSeconds,
    isReady: hasBooted && whyNotReady === undefined,
    whyNotReady,
    unread: {
      battery: isMissing(battery?.percent),
      heat: isMissing(battery?.celsius) || !thermal.isWhole,
    },
    setByHand: { battery: shown.isSetByHand, thermalStatus: thermal.isSetByHand },
  };
}

type Dump = PromiseSettledResult<CommandResult>;

function textOf(dump: Dump): string {
  return dump.status === 'fulfilled' ? dump.value.stdout : '';
}

/**
 * Why its system services are not responding; undefined: one of them has responded. Each may be absent: only if all are silent, those
 * count that every Android has. While they restart, `getprop` still reports that it has booted.
 */
async function whyNoServices(
  dumps: readonly Dump[],
  ask: (command: string) => Promise<CommandResult>,
): Promise<string | undefined> {
  const hasAnswer = (all: readonly Dump[]) => all.some((dump) => hasResponded(textOf(dump)));
  // A service that is not responding is found all the same.
  const isSlow = dumps.some(
    (dump) => dump.status === 'rejected' || dump.value.stdout.includes('DUMP TIMEOUT'),
  );
  if (hasAnswer(dumps)) return undefined;
  const last = isSlow ? [] : [ask('service check activity; dumpsys power')];
  if (hasAnswer(await Promise.allSettled(last))) return undefined;
  const [why] = dumps.map((dump) =>
    dump.status === 'rejected'
      ? errorText(dump.reason)
      : excerpt(`${dump.value.stdout} ${dump.value.stderr}`),
  );
  return `the system services are not responding (${why || 'no output'}); reboot it`;
}

function whyUnreadable(text: string): string {
  const output = excerpt(text);
  return output === ''
    ? 'adb lists the device, but its shell is not responding; reboot it'
    : `adb lists the device, but its response is invalid: "${output}"; reboot it`;
}

/** The names by which Skia's tests choose phones (its machine server, section 6.3 of what this replaces). */
function androidDimensions(properties: ReadonlyMap<string, string>): Dimensions {
  const build = properties.get('ro.build.id');
  const incremental = properties.get('ro.build.version.incremental');
  const brands = ['ro.product.brand', 'ro.product.system.brand'].map((key) => {
    const brand = properties.get(key)?.toLowerCase();
    return brand === 'aosp' ? 'android' : brand;
  });
  const builds =
    build === undefined
      ? []
      : [build.charAt(0).toUpperCase(), build, ...(incremental ? [`${build}_${incremental}`] : [])];
  return dimensions({
    os: ['Android'],
    android_devices: ['1'],
    device_os: builds.sort(),
    device_os_flavor: brands,
    device_os_type: [properties.get('ro.build.type')],
    device_type: ['ro.product.device', 'ro.build.product', 'ro.product.board'].map((key) =>
      properties.get(key),
    ),
    android_hwasan_build: properties.get('ro.product.name')?.endsWith('_hwasan') ? ['1'] : [],
  });
}
