/** Types of sessions with a device. ssh.ts and telnet.ts open them; the dialects in packages/equipment/src/models define a family's command line. */
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Credentials } from '@skolo/base/secrets';
import type { Purpose } from './budget/received.ts';
import type { HostKeys } from './host-keys.ts';
import type { Recorded } from './stream/transcript.ts';

/** A device's address, and how to sign in. */
export interface Target {
  /** For messages, and as the key of its pinned host key. */
  name: string;
  address: string;
  port: number;
  /** `SHA256:…` from rack.yaml; without it, the first key seen is pinned. */
  hostKey?: string;
  credentials: Credentials;
}

/** Connects to an address in another way than through this computer's own network. */
export type Dial = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** External dependencies of sessions. */
export interface SessionDeps extends Recorded {
  /** Default: this computer's network. */
  dial?: Dial | undefined;
  hostKeys: HostKeys;
  /** A shorter time limit for the sign-in than that of the login. */
  signInMs?: number;
  /** Until it is connected, as in RunOptions. */
  idleMs?: number;
  /** Called once for each ssh connection, with the negotiated algorithms. Never contains a secret. */
  onConnected?: ((facts: ConnectionFacts) => void) | undefined;
}

export interface ConnectionFacts {
  device: string;
  kex: string;
  cipher: string;
  legacy: boolean;
  /** Names of those that are no longer safe; empty: none. */
  legacyAlgorithms: string[];
}

export interface RunOptions {
  signal: AbortSignal;
  /** Until the prompt appears; default 10,000. */
  timeoutMs?: number;
  /** A device that is silent for this long has failed; default: only `timeoutMs` applies. */
  idleMs?: number | undefined;
}

/** A signed-in command line, at its privileged prompt, with the pager off. */
export interface CliSession {
  /**
   * Sends one command and returns its answer: without the echo and the prompt, lines separated by `\n`.
   *
   * @throws DeviceTimeout, DeviceUnreachable, and DeviceRejected if the dialect recognises the answer as an error.
   */
  run(command: string, options: RunOptions): Promise<string>;
  /** The same, as the device's exact bytes. */
  runBytes(command: string, options: RunOptions): Promise<Buffer>;
  /**
   * For a configuration, which may contain the text of the prompt: as `runBytes`, and an empty line confirms that the prompt after it is
   * real. It need not end with `\n`.
   *
   * @throws AnswerCut, in addition to the others: it was not, and more output followed
   */
  read(command: string, options: RunOptions): Promise<Buffer>;
  /** False once either side has closed it. */
  isOpen(): boolean;
  /** Signs out if the dialect defines how, then closes. Never throws. */
  close(): Promise<void>;
}

/** Commands of a device with a real shell behind ssh: each in its own channel, with an exit status. */
export interface ExecSession {
  /** At most a table. @throws DeviceTimeout, DeviceUnreachable, DeviceRejected. A status other than 0 does not throw. */
  exec(command: string, options: RunOptions): Promise<ExecResult>;
  /** The same, as bytes, at most a configuration. */
  execBytes(command: string, options: ExecOptions): Promise<ExecBytes>;
  /**
   * Reads a device's file with the scp protocol, which announces the size and confirms success. At most 4 MiB.
   *
   * @throws DeviceTimeout, DeviceUnreachable, DeviceRejected
   */
  download(path: string, options: RunOptions): Promise<Buffer>;
  /**
   * Writes a file to the device with the scp protocol. A new file has mode 0600; an existing one keeps its mode.
   *
   * @throws DeviceTimeout, DeviceUnreachable, DeviceRejected
   */
  upload(path: string, content: Buffer, options: RunOptions): Promise<void>;
  /** False once either side has closed it. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  /** Undefined if a signal ended it, or the device reports none: the output may then be incomplete. */
  status: number | undefined;
}

export interface ExecOptions extends RunOptions {
  /** Standard input, which is then closed. */
  input?: Buffer | undefined;
  /** Receives the output, at its own pace, and is then closed. Its errors are thrown unchanged. */
  to?: Writable;
  /** More output than this is rejected; default: only its purpose limits it, and to a stream nothing does. */
  maxBytes?: number;
  /** Limits output in memory; default: a configuration. */
  purpose?: Purpose | undefined;
}

export interface ExecBytes {
  /** Empty if it was written to a stream. */
  stdout: Buffer;
  stderr: string;
  /** As in ExecResult. */
  status: number | undefined;
  /** Of the output, in bytes. */
  size: number;
}
