/**
 * Other computers with Linux that this machine tests, over ssh.
 *
 * rack.yaml: `device: { kind: linux, address: 192.168.1.61 }`; user and key are in `services.swarming-client.ssh`.
 */
import type { AttachedDevice, Device, DeviceDeps, DeviceReading } from './device.ts';
import { excerpt, lookWith, Missing } from './look.ts';
import { linuxDimensions, readCpuInfo, readGpus, readSysfsSensors } from './parse/linux.ts';
import { linesOf, readUptime } from './parse/text.ts';
import { createSsh, partsOf, scriptOf, sensorsScript, sshMachineFile } from './ssh.ts';

const script = scriptOf([
  'cat /proc/uptime',
  'cat /etc/os-release',
  'cat /etc/debian_version',
  'uname -m',
  'getconf LONG_BIT',
  'getconf _NPROCESSORS_ONLN',
  'cat /proc/cpuinfo',
  'lspci -mm -nn',
  sensorsScript,
]);

export function linux(device: AttachedDevice, deps: DeviceDeps): Device {
  const ssh = createSsh(device, deps);
  const tellTasks = sshMachineFile(device, deps);

  async function read(signal: AbortSignal): Promise<DeviceReading> {
    await tellTasks();
    const parts = partsOf(await ssh.do(script, signal));
    const [uptimeText = '', osRelease = '', debianVersion = '', machine = '', bits = ''] = parts;
    const [, , , , , cores = '', cpuInfo = '', lspci = '', sensors = ''] = parts;
    const uptimeSeconds = linesOf(uptimeText)
      .map(readUptime)
      .find((found) => found !== undefined);
    if (uptimeSeconds === undefined) {
      throw new Missing(`does not tell its uptime: "${excerpt(uptimeText)}"`);
    }
    return {
      dimensions: linuxDimensions({
        osRelease,
        debianVersion,
        machine: machine.trim(),
        bits: bits.trim() === '32' ? 32 : 64,
        cores: Number(cores.trim()) || undefined,
        cpu: readCpuInfo(cpuInfo),
        gpus: readGpus(lspci),
        drivers: new Map(),
      }),
      ...readSysfsSensors(sensors),
      uptimeSeconds,
    };
  }

  return {
    look: lookWith(read),
    repairs: { 'device-reboot': (signal) => ssh.reboot(signal) },
  };
}
