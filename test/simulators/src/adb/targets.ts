/** The phone that a request selects: transport.cpp, acquire_one_transport() and list_transports(). */
import type { SimulatedAndroid } from './android.ts';

export type Target =
  | { by: 'any' | 'usb' | 'local' }
  | { by: 'serial'; serial: string }
  | { by: 'id'; id: number };

/** `host:…`, `host-serial:SERIAL:…`, `host-transport-id:7:…`, `host-usb:…`. Undefined: none of these forms. */
export function parseHostRequest(request: string): { service: string; target: Target } | undefined {
  // A serial may contain a port: `10.0.0.7:5555`.
  const [, serial, ofSerial] = /^host-serial:(.+?(?::\d+)?):(\D.*)$/s.exec(request) ?? [];
  if (serial !== undefined && ofSerial !== undefined) {
    return { service: ofSerial, target: { by: 'serial', serial } };
  }
  const [, id, ofId] = /^host-transport-id:(\d+):(.+)$/s.exec(request) ?? [];
  if (id !== undefined && ofId !== undefined) {
    return { service: ofId, target: { by: 'id', id: Number(id) } };
  }
  const [, kind, service] = /^host(-usb|-local)?:(.+)$/s.exec(request) ?? [];
  if (service === undefined) return undefined;
  return { service, target: { by: kind === '-usb' ? 'usb' : kind === '-local' ? 'local' : 'any' } };
}

/** `transport:SERIAL`, `transport-any`, `transport-id:7`, `tport:serial:SERIAL`, `tport:any`. Undefined: none of these forms. */
export function parseTransport(service: string): Target | undefined {
  const [, serial] = /^(?:transport|tport:serial):(.+)$/s.exec(service) ?? [];
  if (serial !== undefined) return { by: 'serial', serial };
  const [, id] = /^transport-id:(\d+)$/.exec(service) ?? [];
  if (id !== undefined) return { by: 'id', id: Number(id) };
  const [, kind] = /^(?:transport-|tport:)(any|usb|local)$/.exec(service) ?? [];
  return kind === 'any' || kind === 'usb' || kind === 'local' ? { by: kind } : undefined;
}

/** A string: why there is none. */
export function pick(seen: readonly SimulatedAndroid[], target: Target): SimulatedAndroid | string {
  const mayBeUsed = seen.filter(({ state }) => state !== 'no permissions');
  const found = mayBeUsed.filter((phone) => isMeant(phone, target));
  const [only, another] = found;
  if (only && !another) return only;
  if (another) return ambiguous(target);
  return seen.length > mayBeUsed.length ? noPermissions : missing(target);
}

function isMeant(phone: SimulatedAndroid, target: Target): boolean {
  switch (target.by) {
    case 'serial':
      return phone.serial === target.serial || `usb:${phone.usb}` === target.serial;
    case 'id':
      return phone.transport === target.id;
    case 'local':
      return false;
    default:
      return true;
  }
}

function missing(target: Target): string {
  switch (target.by) {
    case 'serial':
      return `device '${target.serial}' not found`;
    case 'id':
      return `no device with transport id '${target.id}'`;
    case 'local':
      return 'no emulators found';
    case 'usb':
      return 'no devices found';
    default:
      return 'no devices/emulators found';
  }
}

function ambiguous(target: Target): string {
  if (target.by === 'usb') return 'more than one device';
  if (target.by === 'serial') return `more than one device with serial ${target.serial}`;
  return 'more than one device/emulator';
}

const noPermissions =
  'insufficient permissions for device: user in plugdev group; are your udev rules wrong?\nSee [http://developer.android.com/tools/device.html] for more information';

/** Why it is visible but unusable; undefined: it is usable. */
export function refusal({ state }: SimulatedAndroid): string | undefined {
  switch (state) {
    case 'offline':
      return 'device offline';
    case 'authorizing':
      return 'device still authorizing';
    case 'unauthorized':
      return "device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\nTry 'adb kill-server' if that seems wrong.\nOtherwise check for a confirmation dialog on your device.";
    default:
      return undefined;
  }
}

/** The output of `adb devices`; `isLong` is `-l`. */
export function listText(seen: readonly SimulatedAndroid[], isLong: boolean): string {
  return seen.map((phone) => (isLong ? longLine(phone) : shortLine(phone))).join('');
}

function stateText({ state }: SimulatedAndroid): string {
  return state === 'no permissions'
    ? 'no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]'
    : state;
}

function shortLine(phone: SimulatedAndroid): string {
  return `${phone.serial}\t${stateText(phone)}\n`;
}

function longLine(phone: SimulatedAndroid): string {
  // What it reported when it was connected; an offline one reported nothing.
  const told = [
    ['product', 'ro.product.name'],
    ['model', 'ro.product.model'],
    ['device', 'ro.product.device'],
  ] as const;
  const about = told.map(([key, property]) => {
    const value = (phone.properties.get(property) ?? '').replace(/[^A-Za-z0-9._-]/g, '_');
    return phone.state === 'device' && value !== '' ? ` ${key}:${value}` : '';
  });
  const usb = phone.usb === undefined ? '' : ` usb:${phone.usb}`;
  return `${phone.serial.padEnd(22)} ${stateText(phone)}${usb}${about.join('')} transport_id:${phone.transport}\n`;
}
