/**
 * Arista EOS: `host>`, `host#`, `host(config-if-Et1)#`, in a redundant pair `host(s1)#`. `enable` asks for a password only
 * where one is set. The terminal is probed before the first prompt; no answer is required.
 *
 * Sources: Arista EOS User Manual, "Command-Line Interface" and "Logging" for the form of log messages; error texts from
 * sessions that gnetcli recorded.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { iosLike } from '../families/command-line/ios-like.ts';

export const eos: Dialect = {
  ...iosLike,
  name: 'eos',
  prompt: /^(?<base>[A-Za-z0-9][\w.-]{0,62})(?:\([\w.:/+-]+\)){0,2}[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w.:/+-]+\\)){0,2}[>#]`,
  // `% Invalid input (at token 1: 'x')`, `%% Please use …`; not `% Writing 0 Arp … to the database`
  errors: [/^%%? (?!warning|writing)[A-Za-z]/i, /^(?:Error|Access denied)\b/i],
  // `Nov 20 10:37:49 arista-1 Ebra: %LINEPROTO-5-UPDOWN: …`
  noise: [/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w.-]+(?:\[\d+\])?: %\w+(?:-\w+)*-\d-\w+: /],
};
