import { readFileIfExists, writeFileAtomic } from '@skolo/durable/atomic-file';
import type { AttachedDevice, DeviceDeps } from './device.ts';

const usualPath = '/tmp/ssh_machine.json';

/**
 * Where the scripts of Skia's tasks look for the device that they have to reach by ssh: `{"user_ip": "root@192.168.1.60"}`.
 * What is returned writes it, once, and again when somebody has deleted it. It never fails: a device is no worse without.
 */
export function sshMachineFile(
  { address }: AttachedDevice,
  { settings, sshMachineFile: path = usualPath, log }: DeviceDeps,
): () => Promise<void> {
  let written: string | undefined;
  return async () => {
    if (address === undefined) return;
    const about = {
      Comment: 'Written by the agent of this machine. What is changed here is lost.',
      user_ip: `${settings().ssh.user}@${address}`,
    };
    const text = `${JSON.stringify(about)}\n`;
    try {
      const isThere = (await readFileIfExists(path)) !== undefined;
      if (isThere && written === text) return;
      await writeFileAtomic(path, text, { mode: 0o644 });
      written = text;
    } catch (error) {
      if (written !== '') log.warn({ err: error, path }, 'address of device not written for tasks');
      written = '';
    }
  };
}
