/** The name of a device's file in a history. */
import { BackupError } from '@skolo/equipment/models/configuration';

export const folderOfDevices = 'devices/';
/** Suffix of files with encrypted content. */
export const encrypted = /\.age$/;

const name = /^[a-z0-9](?:[a-z0-9._-]{0,198}[a-z0-9_-])?$/i;

/** Whether a device's file may have this name, on any system. */
export function isDeviceName(device: string): boolean {
  return name.test(device) && !device.includes('..') && !encrypted.test(device);
}

/** @throws BackupError `not-found` */
export function pathOf(device: string): string {
  if (isDeviceName(device)) return folderOfDevices + device;
  throw new BackupError(
    'not-found',
    `${JSON.stringify(device.slice(0, 80))} is not a valid name: it must start with a letter or digit, contain at most 200 letters, digits, ".", "_" and "-", not contain "..", and not end with "." or ".age"`,
  );
}
