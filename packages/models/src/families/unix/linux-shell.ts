/**
 * The shell of a small Linux: BusyBox on UniFi switches, mPower strips and OpenWrt, bash on EdgeOS. Only for what needs
 * a terminal; where there is an exec channel, that has the exit status, too.
 *
 * Its prompt may be anything that ends like one, so it is believed for being the same twice. The command line must stay
 * in the same folder, as many prompts name it.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { allPagers } from '../command-line/pagers.ts';

export const linuxShell: Dialect = {
  name: 'linux-shell',
  prompt: /^(?<base>.{0,100}[#$%>])$/,
  prompts: escapePattern,
  setUp: [],
  pagers: allPagers,
  errors: [/^(?:-?\w*sh|\/bin\/\w*sh): .*(?:not found|syntax error|permission denied)/i],
  noise: [],
  signOut: ['exit'],
};
