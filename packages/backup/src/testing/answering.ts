/** A connection that answers single commands, for answers that no simulated device gives. */
import type { InfrastructureDevice } from '@skolo/rack';
import type { DeviceConnection } from '../models/connection.ts';

export function answering(
  device: InfrastructureDevice,
  exec: (command: string) => Buffer,
): DeviceConnection {
  const nothing = async () => {
    throw new Error('only single commands are answered');
  };
  return {
    device,
    exec: async (command) => exec(command),
    cli: nothing,
    execToFile: nothing,
    download: nothing,
    upload: nothing,
  };
}
