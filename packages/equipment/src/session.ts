/** The shapes of a session with a device. How it is opened is in ssh.ts and telnet.ts, how a family speaks in dialects/. */
import type { Credentials } from './credentials.ts';
import type { HostKeys } from './host-keys.ts';

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

/** What sessions need from outside. */
export interface SessionDeps {
  hostKeys: HostKeys;
  /** Until signed in; default 20,000. */
  signInMs?: number;
  /** Told once for each connection, say which key exchange was agreed on. Never a secret. */
  onConnected?: (facts: { device: string; kex: string; cipher: string; legacy: boolean }) => void;
}

export interface RunOptions {
  signal: AbortSignal;
  /** Until the prompt is back; default 10,000. */
  timeoutMs?: number;
}

/** A signed-in command line, at its privileged prompt, its pager off. */
export interface CliSession {
  /**
   * Sends one command and gives its answer: without the echo, without the prompt, lines separated by `\n`.
   *
   * @throws DeviceTimeout, DeviceUnreachable, and DeviceRefused when the dialect knows the answer to be an error.
   */
  run(command: string, options: RunOptions): Promise<string>;
  /** False once it has ended, from either side. */
  isOpen(): boolean;
  /** Signs out where the dialect knows how, then closes. Never throws. */
  close(): Promise<void>;
}

/** Commands of a device that has a real shell behind ssh: each in a channel of its own, with an exit status. */
export interface ExecSession {
  /** @throws DeviceTimeout, DeviceUnreachable. A status other than 0 is not thrown. */
  exec(command: string, options: RunOptions): Promise<ExecResult>;
  /** False once it has ended, from either side. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  /** Undefined when a signal ended it, or the device gives none: then nothing proves that the output is all of it. */
  status: number | undefined;
}
