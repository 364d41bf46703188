/**
 * Cisco NX-OS: passwords of local users.
 *
 * Tried with: its simulator only.
 * Oddities: a new password is checked for its strength, unless `no password strength-check` is set.
 * Source: Cisco Nexus 9000 NX-OS Security Configuration Guide, "Configuring User Accounts and RBAC"; Fundamentals Configuration
 * Guide, "copy running-config startup-config".
 */
import { cliAccounts } from '../families/command-line/accounts.ts';
import { nxos } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: nxos,
  running: 'show running-config',
  enter: 'configure terminal',
  leave: 'end',
  statements: {
    password: {
      find: (user) =>
        String.raw`^(?<start>username ${user} password) \d+ \S+(?: +(?<role>role \S+))?`,
      write: (value, { start, role }) => [start, '0', value, ...(role ? [role] : [])].join(' '),
    },
  },
  save: { commands: ['copy running-config startup-config'], done: /Copy complete/i },
});
