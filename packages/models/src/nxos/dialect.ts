/**
 * Cisco NX-OS: `host#`, `host(config-if)#`. Roles decide what one may do, so that most are privileged from the start; `host>`
 * is only there with `feature privilege`. A return comes before each prompt, and behind each echo.
 *
 * Sources: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide, "Understanding the Command-Line Interface"; System
 * Messages Reference for the form of log messages; error texts from sessions that gnetcli recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { iosLike } from '../families/command-line/ios-like.ts';

export const nxos: Dialect = {
  ...iosLike,
  name: 'nxos',
  prompt: /^(?<base>[A-Za-z0-9][\w.@-]{0,62})(?:\([\w.:/+-]+\))?[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w.:/+-]+\\))?[>#]`,
  // `% Invalid command at '^' marker.`, `Invalid range at '^' marker.`, `% Permission denied for the role`
  errors: [
    /^% ?(?!warning)(?![A-Z0-9_]+-\d-[A-Z0-9_]+:)[A-Za-z]/i,
    /^(?:Invalid|Incomplete|Ambiguous) \w+ at '\^' marker/i,
    /^(?:ERROR|Syntax error|Command authorization failed|Access denied)\b/i,
  ],
  // `2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: …`; with several contexts `… nexus-1 %$ VDC-1 %$ %ETHPORT-5-IF_UP: …`
  noise: [
    /^\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ (?:%\$ VDC-\d+ %\$ )?%\w+(?:-\w+)*-\d-\w+: /,
  ],
};
