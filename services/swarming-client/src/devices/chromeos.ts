/**
 * Chromebooks with a test image, over ssh.
 *
 * rack.yaml: `device: { kind: chromeos, address: 192.168.1.60 }`; user and key are in `services.swarming-client.ssh`. What
 * its tests choose it by beside its release (`cpu`, `gpu`) is said in `swarming: { dimensions: … }` of its machine.
 */

import { dimensions } from '../dimensions.ts';
import type { AttachedDevice, Device, DeviceDeps, DeviceReading } from './device.ts';
import { excerpt, lookWith, Missing } from './look.ts';
import { readSysfsSensors } from './parse/linux.ts';
import { linesOf, readAssignments, readUptime } from './parse/text.ts';
import { createSsh, partsOf, scriptOf, sensorsScript, sshMachineFile } from './ssh.ts';

const script = scriptOf(['cat /proc/uptime', 'cat /etc/lsb-release', sensorsScript]);

export function chromeos(device: AttachedDevice, deps: DeviceDeps): Device {
  const ssh = createSsh(device, deps);
  const tellTasks = sshMachineFile(device, deps);

  async function read(signal: AbortSignal): Promise<DeviceReading> {
    await tellTasks();
    const [uptimeText = '', release = '', sensors = ''] = partsOf(await ssh.do(script, signal));
    const uptimeSeconds = linesOf(uptimeText)
      .map(readUptime)
      .find((found) => found !== undefined);
    if (uptimeSeconds === undefined) {
      throw new Missing(`does not tell its uptime: "${excerpt(uptimeText)}"`);
    }
    const fields = readAssignments(release);
    const told = dimensions({
      release_version: [fields.get('CHROMEOS_RELEASE_VERSION')],
      chromeos_milestone: [fields.get('CHROMEOS_RELEASE_CHROME_MILESTONE')],
      chromeos_channel: [fields.get('CHROMEOS_RELEASE_TRACK')],
    });
    if (Object.keys(told).length === 0) {
      throw new Missing('its /etc/lsb-release is not that of ChromeOS: is it `kind: linux`?');
    }
    return {
      dimensions: { os: ['ChromeOS'], ...told },
      ...readSysfsSensors(sensors),
      uptimeSeconds,
    };
  }

  return {
    look: lookWith(read),
    repairs: { 'device-reboot': (signal) => ssh.reboot(signal) },
  };
}
