import type { Core } from './core.ts';
import type { CliModel, SignInMethod } from './model.ts';
import { type UnixBox, unixExec, unixShell } from './shell.ts';

export interface UnixModelOptions {
  name: string;
  core: Core;
  ident: string;
  box: UnixBox;
  signIn?: readonly SignInMethod[];
  busyInside?: boolean;
  powerUp(): void;
}

/** A device whose ssh leads to a Unix shell, with a channel for single commands and their exit status. */
export function unixModel({ box, ...options }: UnixModelOptions): CliModel {
  return {
    signIn: ['publickey', 'password'],
    words: {
      before: '',
      user: 'login: ',
      password: 'Password: ',
      wrong: 'Login incorrect\n',
      hidden: 'none',
      tries: 3,
    },
    screen: (pty) => ({
      width: pty?.cols ?? 0,
      overflow: 'wrap',
      interactive: pty !== undefined,
      newline: pty ? '\r\n' : '\n',
    }),
    shell: (terminal) => unixShell(terminal, box),
    exec: (terminal, command) => unixExec(terminal, command, box),
    ...options,
  };
}

/** Of a device that keeps nothing in files. */
export const noFiles: UnixBox['files'] = {
  list: () => [],
  read: () => undefined,
  write: () => false,
};
