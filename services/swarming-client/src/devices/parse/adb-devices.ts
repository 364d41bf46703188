import { linesOf } from './lines.ts';

/** A device that the adb server sees. */
export interface AdbDevice {
  /** Empty: its USB descriptor has none, or may not be read. */
  serial: string;
  /** `device`, `offline`, `unauthorized`, `no permissions`, `recovery` …; see `adb/adb.cpp`, ConnectionState. */
  state: string;
  /** Of its USB port: `1-1.2`. */
  usb?: string;
  transportId?: string;
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

const row = new RegExp(`^(.*?)\\s+(${states.join('|')})(?=\\s|$)(.*)$`);

/** What `adb devices -l` prints. Lines of other forms (the server starts, a warning) are passed over. */
export function readAdbDevices(text: string): AdbDevice[] {
  const devices: AdbDevice[] = [];
  for (const line of linesOf(text)) {
    if (/^(List of devices|\*|adb[ :])/.test(line)) continue;
    const [, name, state, rest = ''] = row.exec(line) ?? [];
    if (name === undefined || state === undefined) continue;
    const serial = /^(\(no serial number\)|\?+)$/.test(name) ? '' : name;
    if (/\s/.test(serial)) continue;
    const usb = /\susb:([\d.-]+)/.exec(rest)?.[1];
    const transportId = /\stransport_id:(\d+)/.exec(rest)?.[1];
    devices.push({
      serial,
      state,
      ...(usb !== undefined && { usb }),
      ...(transportId !== undefined && { transportId }),
    });
  }
  return devices;
}
