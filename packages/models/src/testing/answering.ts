/** A connection that answers single commands, for answers that no simulated device sends. */

import type { DeviceConnection } from '@skolo/equipment';
import type { Device } from '../contract/device.ts';

export function answering(device: Device, exec: (command: string) => Buffer): DeviceConnection {
  const nothing = async () => {
    throw new Error('only single commands are answered');
  };
  return {
    device,
    exec: async (command) => exec(command),
    cli: nothing,
    execToFile: nothing,
    countDisk: () => undefined,
    download: nothing,
    upload: nothing,
  };
}
