/**
 * HP ProCurve and ArubaOS-S: the password of the manager or operator.
 *
 * Tried with: its simulator only.
 * Oddities: passwords are in the configuration only with `include-credentials`; without it nothing is changed. The password that
 * `enable` asks for is that of the manager: give a login of the operator no part in a rotation.
 * Source: HP Access Security Guide (6120, 2920, 5400R), "Configuring Username and Password Security", "Saving Security
 * Credentials in a Config File".
 */
import { cliAccounts } from '../families/command-line/accounts.ts';
import { procurve } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: procurve,
  running: 'show running-config',
  enter: 'configure terminal',
  leave: 'exit',
  statements: {
    password: {
      find: (user) => `^(?<start>password (?:manager|operator) user-name "?${user}"?) `,
      write: (value, { start }) => `${start} plaintext ${value}`,
    },
  },
  save: {
    commands: ['write memory', 'show config status'],
    done: /Running configuration is same as the startup configuration/i,
  },
});
