/** Lists the supported kinds of attached devices, one file each. */
import { android } from './android.ts';
import { auto } from './auto.ts';
import { chromeos } from './chromeos.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceKind, OpenDevice } from './device.ts';
import { ios } from './ios.ts';
import { linux } from './linux.ts';
import { pyocd } from './pyocd.ts';

const kinds: Readonly<Record<Exclude<DeviceKind, 'none'>, OpenDevice>> = {
  android,
  ios,
  chromeos,
  linux,
  pyocd,
  auto: (device, deps) => auto(device, deps, (kind) => kinds[kind](device, deps)),
};

/** @throws TypeError Its kind is `none`, which is not a device. */
export function openDevice(device: AttachedDevice, deps: DeviceDeps): Device {
  if (device.kind === 'none') throw new TypeError(`${device.fullName} is not a device`);
  return kinds[device.kind](device, deps);
}
