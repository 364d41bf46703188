/**
 * FRRouting's vtysh: `host#`, `host(config-if)#`. The host name is the system's, whatever the configuration says.
 *
 * It only has an unprivileged mode on request, and its startup errors (`% Can't open configuration file … Permission denied`) come before
 * the first prompt. Output uses the account's pager, if set.
 *
 * Source: FRR user manual 8.4, "VTY shell"; tried with FRR 8.4.4.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import { allPagers } from '../families/command-line/pagers.ts';

export const frr: Dialect = {
  name: 'frr',
  prompt: /^(?<base>[A-Za-z0-9][\w.-]{0,63})(?:\([\w-]+\))?[>#]$/,
  prompts: (base) => `${escapePattern(base)}(?:\\([\\w-]+\\))?[>#]`,
  setUp: ['terminal length 0'],
  pagers: allPagers,
  // `% Unknown command: x`, `% Configuration failed.`, `BGP is already running; AS is 65001`; not `% Warning: `
  errors: [
    /^% ?(?!warning)[A-Za-z]/i,
    /^(?:Error type|Error description): /,
    /^BGP (?:is already running|instance)/,
    /^(?:Command authorization failed|Access denied)/i,
  ],
  noise: [],
  // Also from a configuration mode.
  signOut: ['end', 'exit'],
};
