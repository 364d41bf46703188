/** What ssh and telnet require of a model with a command line, and the options common to all models. */
import type { Algorithms, PseudoTtyInfo } from 'ssh2';
import type { Wiring } from '../wiring.ts';
import type { Account } from './accounts.ts';
import type { Core } from './core.ts';
import type { SignInWords } from './sign-in.ts';
import type { Screen, Terminal } from './terminal.ts';

/** `none`: ssh admits everybody, and the device prompts for name and password in the session, like telnet. */
export type SignInMethod = 'publickey' | 'password' | 'keyboard-interactive' | 'none';

export interface CliOptions extends Account {
  /** Its address; default: 127.0.0.1. */
  host?: string;
  /** The ssh port; default: 0, any free one. */
  port?: number;
  /** Absent: no telnet. 0: any free one. */
  telnetPort?: number;
  /** Sign-in methods over ssh; each model has its usual ones. */
  signIn?: readonly SignInMethod[];
  /** The host's private key; default: a new one. */
  hostKey?: string;
  /** Offers only the algorithms of servers from about 2005: group1, ssh-rsa, CBC, SHA-1. */
  legacyOnly?: boolean;
  /** ssh's complete version string. */
  algorithms?: Algorithms;
  /** Shown before sign-in. */
  banner?: string;
  /** Further connections are refused. */
  maxSessions?: number;
  /** The length of a second of the device's own timers; default: 1000. */
  secondMs?: number;
  /** What is plugged into its ports; default: nothing. */
  wiring?: Wiring;
}

export interface CliModel {
  name: string;
  core: Core;
  /** Its ssh server's identification, after `SSH-2.0-`. Clients recognise some of them and their bugs. */
  ident?: string;
  /** Default sign-in methods over ssh. */
  signIn: readonly SignInMethod[];
  /** Its own prompts for name and password. */
  words: SignInWords;
  /** Removes a suffix from a login name. */
  plainName?: (login: string) => string;
  /** Whether a password is right, where it can change. Undefined: as set by the test. */
  opens?(user: string, password: string): boolean | undefined;
  /** The recorded form of a command that may contain a secret. */
  logged?(line: string): string;
  /** The assumed terminal; `pty` is what the ssh client requested. */
  screen(pty: PseudoTtyInfo | undefined): Screen;
  /** Runs the dialogue until the session ends. Returns the exit status, or undefined if the device has none and closes the connection. */
  shell(terminal: Terminal): Promise<number | undefined>;
  /** Carries out one command of an ssh client; absent: only shells are supported. */
  exec?(terminal: Terminal, command: string): Promise<number>;
  /** Whether the model has its own way of being busy. Otherwise it accepts no connections then. */
  busyInside?: boolean;
  /** Sets the outlets to their state after a power failure. They are all off when it is called. */
  powerUp(): void;
}
