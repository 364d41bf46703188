/** A command line at a prompt, or, for a device that answers single commands, channels of ssh. */
import {
  type DeviceCli,
  type DeviceConnection,
  type Dialect,
  throwIfRejected,
} from '@skolo/equipment';

/** Of a prompt that commands are typed at; or only what says no, where each command has an exec channel of ssh. */
export type AnyDialect = Dialect | Pick<Dialect, 'errors'>;

export async function anyCli(
  connection: DeviceConnection,
  dialect: AnyDialect,
): Promise<DeviceCli> {
  return 'prompt' in dialect ? await connection.cli(dialect) : inChannels(connection, dialect);
}

function inChannels(connection: DeviceConnection, dialect: Pick<Dialect, 'errors'>): DeviceCli {
  const read = async (command: string) => {
    const answer = await connection.exec(command);
    throwIfRejected(connection.device.name, command, answer.toString('latin1'), dialect);
    return answer;
  };
  return { read, run: read };
}
