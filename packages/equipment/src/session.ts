/** The shapes of a session with a device. How it is opened is in ssh.ts and telnet.ts, how a family speaks in the dialects of packages/models. */
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Credentials } from '@skolo/secrets';
import type { HostKeys } from './host-keys.ts';
import type { Recorded } from './stream/transcript.ts';

/** Where a device is and how to sign in. */
export interface Target {
  /** For messages, and the key of its pinned host key. */
  name: string;
  address: string;
  port: number;
  /** `SHA256:…` of rack.yaml; without it the key seen first is pinned. */
  hostKey?: string;
  credentials: Credentials;
}

/** A connection to an address by another way than this computer's own network. */
export type Dial = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** What sessions need from outside. */
export interface SessionDeps extends Recorded {
  /** Default: a connection of this computer. */
  dial?: Dial | undefined;
  hostKeys: HostKeys;
  /** Until signed in; default 20,000. */
  signInMs?: number;
  /** While signing in, as in RunOptions. */
  idleMs?: number;
  /** Called once for each ssh connection, with the algorithms that were agreed on. Never a secret. */
  onConnected?: ((facts: ConnectionFacts) => void) | undefined;
}

export interface ConnectionFacts {
  device: string;
  kex: string;
  cipher: string;
  legacy: boolean;
  /** Names of those that are not safe any more; empty: none. */
  legacyAlgorithms: string[];
}

export interface RunOptions {
  signal: AbortSignal;
  /** Until the prompt is back; default 10,000. */
  timeoutMs?: number;
  /** A device that is silent for this long has failed; default: only `timeoutMs` counts. */
  idleMs?: number | undefined;
}

/** A signed-in command line, at its privileged prompt, its pager off. */
export interface CliSession {
  /**
   * Sends one command and gives its answer: without the echo, without the prompt, lines separated by `\n`.
   *
   * @throws DeviceTimeout, DeviceUnreachable, and DeviceRejected when the dialect knows the answer to be an error.
   */
  run(command: string, options: RunOptions): Promise<string>;
  /** The same, one byte for each byte of the device. */
  runBytes(command: string, options: RunOptions): Promise<Buffer>;
  /**
   * For a configuration, in which the text of the prompt may stand: as `runBytes`, and an empty line confirms that the
   * prompt behind it was the prompt. It need not end with `\n`.
   *
   * @throws AnswerCut, besides the others: it was not, and more came
   */
  read(command: string, options: RunOptions): Promise<Buffer>;
  /** False once it has ended, from either side. */
  isOpen(): boolean;
  /** Signs out where the dialect knows how, then closes. Never throws. */
  close(): Promise<void>;
}

/** Commands of a device that has a real shell behind ssh: each in a channel of its own, with an exit status. */
export interface ExecSession {
  /** @throws DeviceTimeout, DeviceUnreachable. A status other than 0 is not thrown. */
  exec(command: string, options: RunOptions): Promise<ExecResult>;
  /** The same for bytes. */
  execBytes(command: string, options: ExecOptions): Promise<ExecBytes>;
  /**
   * A file of the device, by the scp protocol: its size was said beforehand, and the device said that all was well. At
   * most 32 MiB.
   *
   * @throws DeviceTimeout, DeviceUnreachable, DeviceRejected
   */
  download(path: string, options: RunOptions): Promise<Buffer>;
  /**
   * A file to the device, by the scp protocol. A new one has the mode 0600, one that is there keeps its own.
   *
   * @throws DeviceTimeout, DeviceUnreachable, DeviceRejected
   */
  upload(path: string, content: Buffer, options: RunOptions): Promise<void>;
  /** False once it has ended, from either side. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  /** Undefined when a signal ended it, or the device gives none: then the output may be incomplete. */
  status: number | undefined;
}

export interface ExecOptions extends RunOptions {
  /** For its standard input, which is ended then. */
  input?: Buffer | undefined;
  /** Where the output goes to, at the pace at which it is taken; is ended with it. An error of it is thrown as it is. */
  to?: Writable;
  /** More output than this is rejected; default 32 MiB where it is kept, any where it goes to a stream. */
  maxBytes?: number;
}

export interface ExecBytes {
  /** Empty where it went elsewhere. */
  stdout: Buffer;
  stderr: string;
  /** As in ExecResult. */
  status: number | undefined;
  /** Of the output, in bytes. */
  size: number;
}
