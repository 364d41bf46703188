/**
 * What Juniper Junos says. It is asked in channels of ssh, where there is neither prompt nor pager; at a prompt, a line like
 * `{master:0}` comes before it where there are several routing engines or members, in configuration mode with `[edit]` behind it.
 *
 * Sources: Junos CLI User Guide, "CLI Operational Mode" and "CLI Configuration Mode"; error texts from sessions that
 * gnetcli recorded; RANCID's list of what may be in the braces.
 */

import type { Dialect } from '@skolo/equipment';

export const junos: Pick<Dialect, 'errors' | 'abovePrompt' | 'noise'> = {
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
};
