/**
 * A router with FRRouting: the password of a user of its Linux, and ssh keys. Where the user's shell is vtysh, nothing can be
 * changed, and the router says so.
 *
 * Tried with: Debian's sshd and chpasswd, as for the model linux.
 */
export { accounts } from '../linux/accounts.ts';
