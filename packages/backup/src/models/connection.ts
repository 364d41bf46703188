/** A device as a model speaks to it. Time-outs, cancelling, transcript and signing in are the caller's. */
import type { Dialect } from '@skolo/equipment';
import type { InfrastructureDevice } from '@skolo/rack';

/**
 * At most one session with the device is open at a time: asking for another kind closes the one before. All methods
 * throw the DeviceErrors of `@skolo/equipment`.
 */
export interface DeviceConnection {
  readonly device: InfrastructureDevice;
  /** The command line, signed in, at its privileged prompt. */
  cli(dialect: Dialect): Promise<DeviceCli>;
  /**
   * One command in an exec channel of ssh.
   *
   * @throws DeviceRefused, besides the others, where its status is not 0; `accept` lists others that are good
   */
  exec(command: string, options?: { accept?: readonly number[]; input?: Buffer }): Promise<Buffer>;
  /** The same for output that may be large: it is written to a file of the caller's, which is removed after use. */
  execToFile(
    command: string,
    options?: { accept?: readonly number[]; input?: Buffer },
  ): Promise<{ file: string; size: number }>;
  /** A file of the device by scp, whose size is known beforehand. */
  download(path: string): Promise<Buffer>;
  /** A file to the device by scp, mode 0600. */
  upload(path: string, content: Buffer): Promise<void>;
}

export interface DeviceCli {
  /** One command at the prompt. Its answer: bytes, lines separated by `\n`, without echo and prompt. */
  run(command: string): Promise<Buffer>;
  /**
   * The same for a configuration: that the prompt behind it was the end is confirmed by an empty line.
   * A final `\n` is added where there is none.
   */
  read(command: string): Promise<Buffer>;
}
