/**
 * Cisco IOS and IOS-XE: passwords of local users, and the enable secret.
 *
 * Tried with: its simulator only.
 * rack.yaml: `logins: { switches: { username: skolo, password: { file: secrets/switch }, enablePassword: { file: secrets/enable } } }`
 * Oddities: `username … password` is another statement than `username … secret`, and a user has one of them; the one that is
 * there is used. The command line repeats what is typed, and `archive log config` keeps it unless `hidekeys` is set.
 * Source: Cisco IOS Security Command Reference, "username", "enable secret"; Configuration Fundamentals, "write memory".
 */
import { escapePattern } from '@skolo/equipment';
import { cliAccounts, found } from '../families/cli-accounts.ts';
import { ciscoIos } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: ciscoIos,
  running: 'show running-config',
  enter: 'configure terminal',
  leave: 'end',
  statements: {
    password(shown, user, value) {
      const pattern = new RegExp(
        String.raw`^(?<start>username ${escapePattern(user)}(?: privilege \d+)? (?:secret|password)) `,
      );
      const { start } = found(shown, pattern) ?? {};
      return start && `${start} 0 ${value}`;
    },
    enablePassword(shown, _user, value) {
      const { start } = found(shown, /^(?<start>enable (?:secret|password)) (?!level)/) ?? {};
      return start && `${start} 0 ${value}`;
    },
  },
  save: { commands: ['write memory'], done: /\[OK\]/ },
});
