/**
 * Other Linux computers that this machine tests, over ssh.
 *
 * rack.yaml: `device: { kind: linux, address: 192.168.1.61 }`; user and key are in `services.swarming-client.ssh`.
 */
import type { AttachedDevice, Device, DeviceDeps } from './device.ts';
import { linuxDimensions, readCpuInfo, readGpus } from './parse/linux.ts';
import { sshDevice } from './ssh.ts';

const parts = [
  'cat /etc/os-release',
  'cat /etc/debian_version',
  'uname -m',
  'getconf LONG_BIT',
  'getconf _NPROCESSORS_ONLN',
  'cat /proc/cpuinfo',
  'lspci -mm -nn',
];

export function linux(device: AttachedDevice, deps: DeviceDeps): Device {
  return sshDevice(device, deps, parts, (outputs) => {
    const [osRelease = '', debianVersion = '', machine = '', bits = '', cores = ''] = outputs;
    const [cpuInfo = '', lspci = ''] = outputs.slice(5);
    return linuxDimensions({
      osRelease,
      debianVersion,
      machine: machine.trim(),
      bits: bits.trim() === '32' ? 32 : 64,
      cores: Number(cores.trim()) || undefined,
      cpu: readCpuInfo(cpuInfo),
      gpus: readGpus(lspci),
      drivers: new Map(),
    });
  });
}
