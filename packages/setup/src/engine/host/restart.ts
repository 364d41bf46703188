/** Restarts a computer over its connection. */
import { ComputerError } from '../errors.ts';
import type { Host } from './host.ts';

/** Changes at each boot. @throws ComputerError */
export async function bootIdOf(host: Pick<Host, 'need'>): Promise<string> {
  return (await host.need('cat /proc/sys/kernel/random/boot_id')).trim();
}

/** The connection may end before the command does. @throws ComputerError It rejects the reboot. */
export async function sendReboot(host: Pick<Host, 'need'>): Promise<void> {
  try {
    await host.need('systemctl reboot');
  } catch (cause) {
    if (!(cause instanceof ComputerError) || cause.code === 'LOST') return;
    throw new ComputerError(`${cause.message} (systemctl reboot)`, { cause });
  }
}
