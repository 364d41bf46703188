/**
 * Cisco IOS and IOS-XE: passwords of local users, and the enable secret.
 *
 * Verified with: its simulator only.
 * rack.yaml: `logins: { switches: { username: skolo, password: { file: secrets/switch }, enablePassword: { file: secrets/enable } } }`
 * Quirks: `username … password` and `username … secret` are different statements, of which a user has one; the existing one is used. The
 * command line echoes input, and `archive log config` records it unless `hidekeys` is set.
 * Source: Cisco IOS Security Command Reference, "username", "enable secret"; Configuration Fundamentals, "write memory".
 */
import { cliAccounts, plainBehind } from '../families/command-line/accounts.ts';
import { ciscoIos } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: ciscoIos,
  statements: {
    password: {
      find: (user) =>
        String.raw`^(?<start>username ${user}(?: privilege \d+)? (?:secret|password)) `,
      write: plainBehind,
    },
    enablePassword: {
      find: () => '^(?<start>enable (?:secret|password)) (?!level)',
      write: plainBehind,
    },
  },
  save: { commands: ['write memory'], done: /\[OK\]/ },
});
