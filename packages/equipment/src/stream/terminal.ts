/** Bytes to and from the command line of a device, over whichever transport. */
import type { DeviceError } from '../errors.ts';

export interface Terminal {
  /** One listener; what came before it listens is kept for it. */
  listen(listener: TerminalListener): void;
  /** Text of one byte for each character. Ignored once the connection has ended. */
  write(text: string): void;
  /** Cuts the connection. The listener receives nothing more. */
  destroy(): void;
  /** Fulfilled once nothing is left of the connection, soon after its end. */
  gone(): Promise<void>;
}

export interface TerminalListener {
  data(bytes: Buffer): void;
  /** The device or the way to it ended the connection. At most once, after all data. */
  end(why: DeviceError): void;
}

/** Wide, so that no line is wrapped; high, so that a pager that goes by it seldom asks. */
export const terminalSize = { columns: 511, rows: 1000 };
/** Few escape sequences, but not so few that pagers complain. */
export const terminalType = 'vt100';
