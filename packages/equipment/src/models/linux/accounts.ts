/**
 * Any Linux host, including one with FRRouting: the password of a user, and ssh keys in ~/.ssh/authorized_keys. Its user is root, or may
 * use `sudo -n`. If the user's shell is vtysh, nothing can be changed, and the router reports that.
 *
 * Verified with: Debian's sshd and chpasswd.
 * Source: chpasswd(8), sshd(8).
 */
import { linuxAccounts, shellAccounts } from '../families/unix/accounts.ts';

export const accounts = shellAccounts(linuxAccounts);
