/**
 * Chromebooks with a test image, over ssh.
 *
 * rack.yaml: `device: { kind: chromeos, address: 192.168.1.60 }`; user and key are in `services.swarming-client.ssh`. Dimensions other than
 * its release (`cpu`, `gpu`) are set by `swarming: { dimensions: … }` of its machine.
 */
import { dimensions } from '../dimensions.ts';
import type { AttachedDevice, Device, DeviceDeps } from './device.ts';
import { Missing, WrongEntry } from './look.ts';
import { readAssignments } from './parse/text.ts';
import { sshDevice } from './ssh.ts';

export function chromeos(device: AttachedDevice, deps: DeviceDeps): Device {
  return sshDevice(device, deps, ['cat /etc/lsb-release'], ([release = '']) => {
    const fields = readAssignments(release);
    const found = dimensions({
      release_version: [fields.get('CHROMEOS_RELEASE_VERSION')],
      chromeos_milestone: [fields.get('CHROMEOS_RELEASE_CHROME_MILESTONE')],
      chromeos_channel: [fields.get('CHROMEOS_RELEASE_TRACK')],
    });
    if (Object.keys(found).length > 0) return { os: ['ChromeOS'], ...found };
    const Wrong = release === '' ? Missing : WrongEntry;
    throw new Wrong(
      '/etc/lsb-release is not from ChromeOS; if the device runs Linux, set `kind: linux`',
    );
  });
}
