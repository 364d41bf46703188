/** Parses the output of Android's programs: adb's list of devices, properties, battery, temperatures. */
import { linesOf, plausibleCelsius } from './text.ts';

/** A device that the adb server sees. */
export interface AdbDevice {
  /** As adb prints it, with leading blanks. Empty: its USB descriptor has none, or may not be read. */
  serial: string;
  /** `device`, `offline`, `unauthorized`, `no permissions`, `recovery` …; see `adb/adb.cpp`, ConnectionState. */
  state: string;
  transportId?: string | undefined;
  /** The USB port, as the kernel names it: `1-1.2`. Absent over the network, and from some versions of adb. */
  usb?: string | undefined;
  /** Another device may have its serial number. */
  isTwin?: true;
}

const states = [
  'device',
  'offline',
  'unauthorized',
  'authorizing',
  'connecting',
  'no permissions',
  'recovery',
  'sideload',
  'rescue',
  'bootloader',
  'host',
  'detached',
  'unknown',
];

/** `%-22s %s` (append_transport() in adb/transport.cpp): a serial number may contain blanks, even the name of a state. */
const row = new RegExp(`^(.{22}|.*?(?<!\\s))\\s+(${states.join('|')})(?=[\\s;]|$)(.*)$`);
/** Some errors end with status 0, after the heading of the list. */
const error = /^(error: |adb: (?!warning)|\* (failed|cannot) )/m;

/**
 * Parses the output of `adb devices -l`; undefined if it is not a list. Lines in other forms (the server starts, a warning) are skipped.
 */
export function readAdbDevices(text: string): AdbDevice[] | undefined {
  if (!/^List of devices/m.test(text) || error.test(text)) return undefined;
  const devices: AdbDevice[] = [];
  for (const line of linesOf(text)) {
    if (/^(List of devices|\*|adb[ :])/.test(line)) continue;
    const [, padded = '', state, rest = ''] = row.exec(line) ?? [];
    const name = padded.trimEnd();
    if (name === '' || state === undefined) continue;
    const serial = /^(\(no serial number\)|\?+)$/.test(name) ? '' : name;
    const transportId = /\stransport_id:(\d+)/.exec(rest)?.[1];
    // Without `usb:` where some versions of adb use libusb.
    const usb = /\s(?:usb:(\S+)|(\d+-[\d.]+)(?=\s|$))/.exec(rest)?.slice(1).find(Boolean);
    devices.push({ serial, state, transportId, usb });
  }
  return devices;
}

/**
 * Properties as printed by Android's `getprop`: `[ro.build.id]: [SP1A.210812.016]`. Values may have several lines. Empty ones are omitted.
 */
export function readProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  let open: { key: string; value: string } | undefined;
  for (const line of linesOf(text)) {
    const [, key, begin] = /^\[([^[\]]+)\]: \[(.*)$/.exec(line) ?? [];
    if (key !== undefined && begin !== undefined) open = { key, value: begin };
    else if (open !== undefined) open.value += `\n${line}`;
    // Not of the value: looking at the end of a text that grows copies it each time.
    if (open !== undefined && line.endsWith(']')) {
      const value = open.value.slice(0, -1).trim();
      if (value !== '') properties.set(open.key, value);
      open = undefined;
    }
  }
  return properties;
}

const responses =
  /^[ \t]*(Current Battery Service state:|IsStatusOverride:|Thermal Status:|USB Manager State|Power Manager (State|\()|Permission Denial:|Service activity: found)/im;

/**
 * Whether a system service has responded to `dumpsys battery`, `thermalservice`, `usb` or `power`, by its first words since Android 4, or
 * `service check` has found one. Complaints about its absence have other words.
 */
export function hasResponded(text: string): boolean {
  return responses.test(text);
}

/** Complete lines: half a number is another number. */
function wholeLinesOf(text: string): string[] {
  return linesOf(text).slice(0, -1);
}

interface Battery {
  /** 0 to 100. */
  percent?: number | undefined;
  celsius?: number | undefined;
  /** One figure was set by hand (`dumpsys battery set level 5`), and none has been measured since. */
  isSetByHand: boolean;
  /** It reports that it has none. */
  isAbsent: boolean;
  /** Whether a cable powers it; absent: not reported. */
  charging?: boolean | undefined;
}

/**
 * The output of Android's `dumpsys battery` (BatteryService.java): level of scale, temperature in tenths of a degree. A device without a
 * battery prints `present: false`, and its figures mean nothing.
 */
export function readBattery(text: string): Battery {
  const fields = new Map<string, string>();
  for (const line of wholeLinesOf(text)) {
    const [, key, value] = /^\s+([a-z]+): (\S+)$/.exec(line) ?? [];
    // Later lines are old events, in similar words.
    if (key !== undefined && value !== undefined && !fields.has(key)) fields.set(key, value);
  }
  const [powered, unpowered] = ['true', 'false'].map((value) =>
    new RegExp(`^ +(AC|USB|Dock) powered: ${value}\\r?$`, 'm').test(text),
  );
  const charging = powered || unpowered ? powered : undefined;
  const percent = percentOf(whole(fields.get('level')), whole(fields.get('scale')));
  const tenths = whole(fields.get('temperature'));
  const celsius = tenths === undefined ? undefined : plausibleCelsius(tenths / 10);
  const isSetByHand = /^[ \t]*\(UPDATES STOPPED/m.test(text);
  if (fields.get('present') === 'false') return { charging, isSetByHand, isAbsent: true };
  return { percent, celsius, charging, isSetByHand, isAbsent: false };
}

/**
 * The uptime in seconds at which the USB connection began, from Android's `dumpsys usb` (UsbPortManager.java, since Android 8):
 * milliseconds, and 0 while nothing is connected. If there are several ports, the last one counts.
 */
export function readConnectedAt(text: string): number | undefined {
  const found = [...text.matchAll(/^[ \t]*connected_at_millis=(\d{1,15})[ \t\r]*$/gm)];
  const millis = Math.max(0, ...found.map(([, each]) => Number(each)));
  return millis > 0 ? millis / 1000 : undefined;
}

function percentOf(level: number | undefined, scale = 100): number | undefined {
  if (level === undefined || level < 0 || scale <= 0 || level > scale) return undefined;
  return Math.round((level * 100) / scale);
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

interface Thermal {
  /** °C, by sensor name. */
  temperatures: Readonly<Record<string, number>>;
  processorSensors: readonly string[];
  /** PowerManager.THERMAL_STATUS_*: 0 none … 6 shutdown. */
  status?: number | undefined;
  /** The status was set by hand (`cmd thermalservice override-status 3`). */
  isSetByHand: boolean;
  /** All temperatures were read, or that there are none. */
  isWhole: boolean;
}

/** BCL_VOLTAGE, BCL_CURRENT, BCL_PERCENTAGE of android.os.Temperature: these are not temperatures. */
const otherTypes = new Set([6, 7, 8]);
const batteryType = 2;
/**
 * BATTERY, SKIN, USB_PORT, DISPLAY, AMBIENT, POGO: parts that people can feel. All others, including unknown ones, are near a processor.
 */
const outsideTypes = new Set([2, 3, 4, 11, 18, 19]);
/** Sensors that vendors list among the temperatures, of any type: `battery_cycle` counts charges. */
const otherNames =
  /(^|[-_])(cycles?|volt(age)?|current|capacity|percent(age)?|count|[vi]bat|soc-?level|bcl)([-_\d]|$)/i;

interface Sensor {
  name: string;
  value: number;
  type?: number | undefined;
}

/**
 * The output of `dumpsys thermalservice`, Android 10 and later (ThermalManagerService.java): `Thermal Status: 0`, and
 * `Temperature{mValue=28.1, mType=2, mName=battery, mStatus=0}` under `Current temperatures from HAL:`. Values under `Cached temperatures:`
 * may be hours old.
 *
 * By the interface, the values are °C. Some vendors use thousandths: detected if the battery's sensor shows about a thousand times the
 * value of `dumpsys battery`, and then assumed for all of them. A value alone does not reveal its unit.
 */
export function readThermal(text: string, batteryCelsius?: number): Thermal {
  const sensors: Sensor[] = [];
  let status: number | undefined;
  let isCurrent = false;
  const lines = wholeLinesOf(text);
  for (const line of lines) {
    if (/^\S/.test(line)) isCurrent = line.startsWith('Current temperatures from HAL');
    const [, found] = /^\s*Thermal Status: ([0-6])\s*$/.exec(line) ?? [];
    if (found !== undefined) status = Number(found);
    const sensor = isCurrent ? readSensor(line) : undefined;
    if (sensor !== undefined) sensors.push(sensor);
  }
  const factor = isInThousandths(sensors, batteryCelsius) ? 0.001 : 1;
  const hottest = new Map<string, number>();
  const inside = new Set<string>();
  for (const { name, value, type } of sensors) {
    const celsius = plausibleCelsius(value * factor);
    if (celsius === undefined || otherTypes.has(type ?? -1) || otherNames.test(name)) continue;
    hottest.set(name, Math.max(celsius, hottest.get(name) ?? 0));
    if (type !== undefined && !outsideTypes.has(type)) inside.add(name);
  }
  const temperatures = Object.fromEntries(hottest);
  return {
    temperatures,
    processorSensors: [...inside],
    status,
    isSetByHand: lines.includes('IsStatusOverride: true'),
    isWhole: /^(Current cooling devices from HAL|HAL Ready: false)/m.test(text),
  };
}

function readSensor(line: string): Sensor | undefined {
  const [, body = ''] = /^\s+Temperature\{(.*)\}\s*$/.exec(line) ?? [];
  const value = /\bmValue=(-?[\d.]+(?:E-?\d+)?)(?=,|$)/.exec(body)?.[1];
  const name = /\bmName=(.*?)(?=, m[A-Z]|$)/.exec(body)?.[1]?.trim();
  const type = /\bmType=(-?\d+)/.exec(body)?.[1];
  if (value === undefined || !name || !Number.isFinite(Number(value))) return undefined;
  return { name, value: Number(value), type: type === undefined ? undefined : Number(type) };
}

function isInThousandths(sensors: readonly Sensor[], batteryCelsius: number | undefined): boolean {
  if (batteryCelsius === undefined || batteryCelsius < 1) return false;
  return sensors.some(({ name, value, type }) => {
    if (type !== batteryType || otherNames.test(name)) return false;
    const ratio = value / batteryCelsius;
    return ratio > 500 && ratio < 2000;
  });
}
