/** What ssh and telnet need of a model with a command line, and what all of them can be told. */
import type { Algorithms, PseudoTtyInfo } from 'ssh2';
import type { Wiring } from '../wiring.ts';
import type { Account, OwnAccounts } from './accounts.ts';
import type { Core } from './core.ts';
import type { SignInWords } from './sign-in.ts';
import type { Screen, Terminal } from './terminal.ts';

/** `none`: ssh lets everybody in, and the device asks for name and password in the session, as telnet does. */
export type SignInMethod = 'publickey' | 'password' | 'keyboard-interactive' | 'none';

export interface CliOptions extends Account {
  /** Where it listens; 127.0.0.1 when absent. */
  host?: string;
  /** Of ssh; 0, any free one, when absent. */
  port?: number;
  /** Absent: no telnet. 0: any free one. */
  telnetPort?: number;
  /** Ways to sign in over ssh; each model has its usual ones. */
  signIn?: readonly SignInMethod[];
  /** Private key of the host; a new one when absent. */
  hostKey?: string;
  /** Offers only what servers of about 2005 offered: group1, ssh-rsa, CBC, SHA-1. */
  legacyOnly?: boolean;
  /** Of ssh, in full. */
  algorithms?: Algorithms;
  /** Shown before sign-in. */
  banner?: string;
  /** Further connections are refused. */
  maxSessions?: number;
  /** A session that was not signed out properly takes its place until the device has forgotten it. */
  keepsDeadSessions?: boolean;
  /** How long a second of the device's own timers takes; 1000 when absent. */
  secondMs?: number;
  /** What is plugged into its ports; nothing when absent. */
  wiring?: Wiring;
}

export interface CliModel {
  name: string;
  core: Core;
  /** How its ssh server introduces itself, after `SSH-2.0-`. Clients know some of them and their faults. */
  ident?: string;
  /** Ways to sign in over ssh when the options do not say. */
  signIn: readonly SignInMethod[];
  /** How it asks for name and password itself. */
  words: SignInWords;
  /** Cuts off what a login name carries beside the name. */
  plainName?: (login: string) => string;
  accounts?: OwnAccounts;
  /** What is written down of a command, where it may hold a secret. */
  logged?(line: string): string;
  /** What it takes the terminal for; `pty` is what the ssh client asked for. */
  screen(pty: PseudoTtyInfo | undefined): Screen;
  /**
   * Talks until the session is over. The answer is the exit status, or undefined where the device knows none and
   * closes the connection.
   */
  shell(terminal: Terminal): Promise<number | undefined>;
  /** Carries out one command of an ssh client; absent: there is no such thing, only shells. */
  exec?(terminal: Terminal, command: string): Promise<number>;
  /** Whether the model has its own way of being busy. Otherwise it takes no connection then. */
  busyInside?: boolean;
  /** Sets the outlets as they are after a power failure. They are all off when it is called. */
  powerUp(): void;
}
