/**
 * The shell of a small Linux: BusyBox on UniFi switches, mPower strips and OpenWrt, bash on EdgeOS. Only for tasks that require a terminal;
 * an exec channel also has the exit status.
 *
 * Its prompt may be anything with a typical ending, so it is trusted when it appears twice. The working directory must not change, because
 * many prompts contain it.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
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
