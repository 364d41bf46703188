/**
 * Vyatta's descendants, EdgeOS and VyOS: `ubnt@router:~$`, and in configuration mode `[edit]` above `ubnt@router#`.
 *
 * The shell is bash, so read-only commands should use an exec channel; this is for configuration mode, which requires a terminal. The host
 * name in the prompt stays the same during a session, even if a commit changes it. `commit-confirm` asks whether to continue, EdgeOS for a
 * key, VyOS for a line: the caller has already decided that.
 *
 * Sources: vyatta-cfg and vyatta-config-mgmt (scripts), vyos-1x (config_mgmt.py), VyOS user guide "Command Line Interface".
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import { allPagers } from '../command-line/pagers.ts';

export const vyatta: Dialect = {
  name: 'vyatta',
  prompt: /^(?<base>[\w.-]+@[\w.-]+)(?::[^$#]{0,100})?[$#>]$/,
  prompts: (base) => `${escapePattern(base)}(?::[^$#]{0,100})?[$#>]`,
  // The first is for EdgeOS, the others are for VyOS.
  setUp: ['terminal length 0', 'set terminal length 0', 'set terminal width 511'],
  pagers: [
    ...allPagers,
    { line: /^Proceed ?\? ?\[confirm\] ?\[y\]$/, key: 'y' },
    { line: /^Proceed ?\? ?\[Y\/n\]$/, key: 'y\r' },
  ],
  errors: [
    /^Invalid command: /,
    /^(?:Set|Delete|Commit|Load|Merge) failed/,
    /^(?:Configuration path: .*is not valid|The specified configuration node is not valid)/,
    /^(?:Cannot (?:open|exit|find|load)|Can not open|Failed to parse|Error:? |Invalid (?:number|config|file))/i,
    /^Configuration system (?:temporarily )?locked/,
    /^(?:commit-revisions is not configured|Another confirm is pending|No confirm pending)/,
    /^(?:Configuration not loaded|Warning: file does NOT appear)/,
    /^-?\w*sh: .*(?:not found|permission denied)/i,
  ],
  abovePrompt: [/^\[edit\]$/],
  noise: [],
  // Discards uncommitted changes.
  signOut: ['exit discard', 'exit'],
};
