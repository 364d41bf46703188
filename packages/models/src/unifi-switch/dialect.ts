/**
 * Fastpath behind a Linux shell: older UniFi switches. `telnet 127.0.0.1` in the shell leads to `(UBNT) >`, where `enable`
 * asks for no password; newer ones have no telnet, but `cli`.
 */
import type { Dialect } from '@skolo/equipment';
import { fastpath } from '../families/fastpath.ts';
import { linuxShell } from '../families/linux-shell.ts';

/** @param command opens it from the shell */
export function fastpathBehindShell(command = 'telnet 127.0.0.1'): Dialect {
  return {
    ...fastpath,
    name: 'fastpath-behind-shell',
    through: { dialect: linuxShell, command },
    // The second one leaves the shell.
    signOut: ['logout', 'exit'],
  };
}
