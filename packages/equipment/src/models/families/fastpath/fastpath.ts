/**
 * Broadcom Fastpath, as in Ubiquiti EdgeSwitch, old Netgear and Dell N: `(Name) >`, `(Name) #`, `(Name) (Config)#`.
 *
 * The privileged mode asks for its own password, none, or the login's. `logout` may offer to save the configuration. There is no exec
 * channel, and a broken session counts towards the low limit until it times out.
 *
 * Sources: EdgeSwitch CLI Command Reference (Ubiquiti), chapter 1; error texts also from Ansible's community.network.edgeswitch terminal
 * plugin.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import { fastpathPager } from '../command-line/pagers.ts';

export const fastpath: Dialect = {
  name: 'fastpath',
  // The name may hold spaces and brackets, and there may be a mode behind it.
  prompt: /^(?<base>\(.+?\)) ?(?:\([^()]*\))? ?[>#]$/,
  prompts: (base) => `${escapePattern(base)} ?(?:\\([^()]*\\))? ?[>#]`,
  privilege: { has: (prompt) => prompt.endsWith('#'), command: 'enable' },
  setUp: ['terminal length 0'],
  pagers: [fastpathPager],
  errors: [
    /^% ?(?:Error|Bad|Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Authorization)/i,
    /^(?:Invalid input|Incomplete command|Command not found|Ambiguous command)/i,
    /^(?:An invalid|Invalid interface|Interface does not exist|Value is out of range)/i,
    /^(?:Error|Failed|Failure|Request (?:was )?denied|Access denied|Command authorization failed)\b/i,
  ],
  // `<190> Jan  1 00:05:33 UBNT-1 TRAPMGR[trapTask]: traputil.c(721) 213 %% Link Up: 0/5`
  noise: [/^<\d{1,3}>\s?\w{3} +\d+ \d\d:\d\d:\d\d .*%%/],
  signOut: ['logout'],
};
