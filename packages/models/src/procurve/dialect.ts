/**
 * HP ProCurve and ArubaOS-S: `name>`, `name#`, `name(vlan-10)#`; a name may have blanks in it. Everything is painted with
 * VT100 sequences on the last line of the terminal, after a screen that waits for any key. `enable` asks for a name and a
 * password, for one of them, or for none. Newer firmware turns its pager off; the others are answered page by page. `logout` asks twice, and
 * is left at that: an answer to the wrong question would save the configuration.
 *
 * Sources: ArubaOS-Switch Management and Configuration Guide, "Using the Command Line Interface"; Oxidized's, netmiko's and RANCID's
 * notes; a session that a user recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { procurvePager } from '../families/command-line/pagers.ts';

export const procurve: Dialect = {
  name: 'procurve',
  prompt: /^(?<base>[A-Za-z0-9][\w.@/+ -]{0,63}?)(?:\([\w./ -]+\))? ?[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w./ -]+\\))? ?[>#]`,
  login: {
    username: /^(?:.* )?(?:user ?name|login(?: name)?) ?:$/i,
    password: /^(?:.* )?password ?:$/i,
    anyKey: /(?:^| )Press any key to continue$/i,
  },
  privilege: {
    has: (prompt) => prompt.endsWith('#'),
    command: 'enable',
    password: /^Password ?:$/i,
    username: { question: /^(?:Username|Login Name) ?:$/i, usual: 'manager' },
  },
  setUp: ['no page'],
  pagers: [procurvePager],
  errors: [
    /^(?:Invalid|Incomplete|Ambiguous) input:/i,
    /^(?:Not authorized|Unable to|Error|Access denied|Command authorization failed)\b/i,
  ],
  // `I 11/20/26 10:37:49 00076 ports: port 1 is now on-line`
  noise: [/^[A-Z] \d\d\/\d\d\/\d\d \d\d:\d\d:\d\d \d{5} \S+: /],
  signOut: ['logout'],
};
