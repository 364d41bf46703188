/**
 * Fastpath behind a Linux shell: older UniFi switches. `telnet 127.0.0.1` in the shell leads to `(UBNT) >`, where `enable`
 * asks for no password.
 */
import type { Dialect } from '@skolo/equipment';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { linuxShell } from '../families/unix/linux-shell.ts';

export const fastpathBehindShell: Dialect = {
  ...fastpath,
  name: 'fastpath-behind-shell',
  through: { dialect: linuxShell, command: 'telnet 127.0.0.1' },
  // The second one leaves the shell.
  signOut: ['logout', 'exit'],
};
