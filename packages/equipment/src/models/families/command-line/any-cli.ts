/** A command line at a prompt, or ssh exec channels for a device that runs single commands. */
import {
  type DeviceCli,
  type DeviceConnection,
  type Dialect,
  throwIfRejected,
} from '@skolo/equipment/transports';

/** The dialect of its prompt, or only its error texts if each command has its own exec channel. */
export type AnyDialect = Dialect | Pick<Dialect, 'errors'>;

export async function anyCli(
  connection: DeviceConnection,
  dialect: AnyDialect,
): Promise<DeviceCli> {
  return 'prompt' in dialect ? await connection.cli(dialect) : inChannels(connection, dialect);
}

function inChannels(connection: DeviceConnection, dialect: Pick<Dialect, 'errors'>): DeviceCli {
  const ask = async (command: string, purpose: 'table' | 'configuration') => {
    const answer = await connection.exec(command, { purpose });
    throwIfRejected(connection.device.name, command, answer, dialect);
    return answer;
  };
  return {
    read: (command) => ask(command, 'configuration'),
    run: (command) => ask(command, 'table'),
  };
}
