/** What can be attached, one file for each kind. */
import { android } from './android.ts';
import { auto } from './auto.ts';
import { chromeos } from './chromeos.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceKind, OpenDevice } from './device.ts';
import { ios } from './ios.ts';
import { linux } from './linux.ts';
import { none } from './none.ts';
import { pyocd } from './pyocd.ts';

const kinds: Readonly<Record<DeviceKind, OpenDevice>> = {
  android,
  ios,
  chromeos,
  linux,
  pyocd,
  none,
  auto: (device, deps) => auto(device, deps, (kind) => kinds[kind](device, deps)),
};

export function openDevice(device: AttachedDevice, deps: DeviceDeps): Device {
  return kinds[device.kind](device, deps);
}
