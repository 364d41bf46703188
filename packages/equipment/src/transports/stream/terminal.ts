/** Bytes to and from a device's command line, over any transport. */
import type { Intake } from '../budget/intake.ts';
import type { DeviceError } from '../errors.ts';

export interface Terminal {
  /** Of its connection. */
  readonly intake: Intake;
  /** One listener; earlier output is kept for it. */
  listen(listener: TerminalListener): void;
  /** Text with one byte per character. Ignored once the connection has ended. */
  write(text: string): void;
  /** Closes the connection. The listener receives nothing more. */
  destroy(): void;
  /** Resolves soon after the end, when the connection is completely closed. */
  gone(): Promise<void>;
}

export interface TerminalListener {
  data(bytes: Buffer): void;
  /** The device or the network ended the connection. At most once, after all data. */
  end(why: DeviceError): void;
}

/** Wide, so that lines are not wrapped; high, so that a pager that uses the height rarely stops. */
export const terminalSize = { columns: 511, rows: 1000 };
/** Few escape sequences, but enough that pagers do not complain. */
export const terminalType = 'vt100';
