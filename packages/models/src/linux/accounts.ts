/**
 * Any Linux host: the password of a user, and ssh keys in ~/.ssh/authorized_keys. Its user is root, or may use `sudo -n`.
 *
 * Tried with: Debian's sshd and chpasswd.
 * Source: chpasswd(8), sshd(8).
 */
import { linuxAccounts, shellAccounts } from '../families/shell-accounts.ts';

export const accounts = shellAccounts(linuxAccounts);
