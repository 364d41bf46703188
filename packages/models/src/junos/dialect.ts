/**
 * Juniper Junos: `user@host>`, in configuration mode `user@host#`. Where there are several routing engines or members, a line
 * like `{master:0}` comes before each prompt, in configuration mode with `[edit]` behind it. Single commands can also be
 * asked in a channel of ssh.
 *
 * Sources: Junos CLI User Guide, "CLI Operational Mode" and "CLI Configuration Mode"; error texts from sessions that
 * gnetcli recorded; RANCID's list of what may be in the braces.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { junosPager } from '../families/pagers.ts';

export const junos: Dialect = {
  name: 'junos',
  prompt: /^(?<base>[\w.-]{1,64}@[\w.-]{1,64})[>#]$/,
  prompts: (base) => `${escapePattern(base)}[>#]`,
  setUp: ['set cli complete-on-space off', 'set cli screen-length 0', 'set cli screen-width 0'],
  pagers: [junosPager],
  // `syntax error, expecting <command>.`, `unknown command.`, `error: configuration database modified`
  errors: [
    /^(?:syntax error|unknown command|missing argument|invalid \w+)\b/i,
    /^(?:[\w ]+ )?error: /i,
    /^(?:permission denied|load complete \(\d+ errors\))/i,
  ],
  abovePrompt: [
    /^\{(?:master|backup|line ?card|primary|secondary)(?::(?:node)?\d+)?\}(?:\[edit.*\])?$/,
    /^\[edit.*\]$/,
  ],
  noise: [
    // `Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: …`
    /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d +\S+ [\w./-]+(?:\[\d+\])?: /,
    /^(?:Message from syslogd@|System shutdown message from |\*\*\* System shutdown message)/,
  ],
  signOut: ['exit'],
};
