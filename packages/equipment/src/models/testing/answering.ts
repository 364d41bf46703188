/** A connection that answers commands, at a prompt or without one, for answers that no simulated device sends. */

import type { DeviceConnection } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';

export function answering(device: Device, answer: (command: string) => Buffer): DeviceConnection {
  const run = async (command: string) => answer(command);
  const nothing = async () => {
    throw new Error('only commands are answered');
  };
  return {
    device,
    username: async () => 'skolo',
    briefly: (work) => work(),
    exec: run,
    cli: async () => ({ run, read: run }),
    execToFile: nothing,
    countDisk: () => undefined,
    download: nothing,
    upload: nothing,
  };
}
