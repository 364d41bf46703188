/**
 * Arista EOS: passwords of local users, and the enable password.
 *
 * Tried with: its simulator only.
 * Oddities: privilege and role of a user are in the statement, and are repeated.
 * Source: Arista EOS User Manual, "User Security": `username`, `enable password`; "Managing the Switch Configuration".
 */
import { escapePattern } from '@skolo/equipment';
import { cliAccounts, found } from '../families/cli-accounts.ts';
import { eos } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: eos,
  running: 'show running-config',
  enter: 'configure terminal',
  leave: 'end',
  statements: {
    password(shown, user, value) {
      const pattern = new RegExp(
        String.raw`^(?<start>username ${escapePattern(user)}(?: privilege \d+)?(?: role \S+)? secret) `,
      );
      const { start } = found(shown, pattern) ?? {};
      return start && `${start} 0 ${value}`;
    },
    enablePassword(shown, _user, value) {
      const { start } = found(shown, /^(?<start>enable (?:secret|password)) /) ?? {};
      return start && `${start} 0 ${value}`;
    },
  },
  save: { commands: ['write memory'], done: /Copy completed successfully/i },
});
