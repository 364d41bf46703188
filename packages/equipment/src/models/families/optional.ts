/** The commands that a backup can do without, which come last. */
import {
  DeviceAsks,
  type DeviceConnection,
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';

/** Errors after which nobody knows what a command would have shown. */
const unanswered = [DeviceAsks, DeviceTimeout, DeviceUnreachable, SignInRejected];

export class Optional {
  /** Why the device was not seen to answer. Its session has ended, so nothing more is asked. */
  unseen: string | undefined;
  private readonly connection: Pick<DeviceConnection, 'briefly'>;

  constructor(connection: Pick<DeviceConnection, 'briefly'>) {
    this.connection = connection;
  }

  /**
   * The result; undefined: the device rejects the command, or did not answer this one or an earlier one.
   *
   * @throws DeviceError of other kinds
   */
  async ask<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.unseen !== undefined) return undefined;
    try {
      return await this.connection.briefly(work);
    } catch (error) {
      if (error instanceof DeviceError && unanswered.some((kind) => error instanceof kind)) {
        this.unseen = error.message.slice(error.device.length + 2);
      } else if (!(error instanceof DeviceRejected)) throw error;
      return undefined;
    }
  }
}
