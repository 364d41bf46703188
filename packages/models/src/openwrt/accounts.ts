/**
 * OpenWrt: the password of root, and its keys for dropbear. Its BusyBox has no chpasswd, but its passwd reads standard input.
 *
 * Tried with: its simulator only.
 * Source: OpenWrt's documentation, "Dropbear key-based authentication" (/etc/dropbear/authorized_keys); BusyBox, passwd.
 */
import { shellAccounts } from '../families/unix/accounts.ts';

export const accounts = shellAccounts({
  command: (user) => `passwd ${user.replace(/[^\w.-]/g, '')} && sync`,
  input: (_user, password) => `${password}\n${password}\n`,
  keyFolder: '/etc/dropbear',
});
