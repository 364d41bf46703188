/** Dialects of two simulated devices: an EdgeSwitch, and a host with a shell. Those of real models are in packages/equipment/src/models. */
import { type Dialect, escapePattern, type Pager } from '../cli/dialect.ts';

const more = { line: /^--More--$/i, key: ' ' };
const moreOrQuit = { line: /^--More-- or \(q\)uit$/, key: ' ' };

export const allPagers: readonly Pager[] = [more, moreOrQuit];

export const fastpath: Dialect = {
  name: 'fastpath',
  prompt: /^(?<base>\(.+?\)) ?(?:\([^()]*\))? ?[>#]$/,
  prompts: (base) => `${escapePattern(base)} ?(?:\\([^()]*\\))? ?[>#]`,
  privilege: { has: (prompt) => prompt.endsWith('#'), command: 'enable' },
  setUp: ['terminal length 0'],
  pagers: [moreOrQuit],
  errors: [
    /^% ?(?:Error|Bad|Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Authorization)/i,
    /^(?:Invalid input|Incomplete command|Command not found|Ambiguous command)/i,
    /^(?:Error|Failed|Request denied|Access denied)\b/i,
  ],
  noise: [/^<\d{1,3}>\s?\w{3} +\d+ \d\d:\d\d:\d\d .*%%/],
  signOut: ['logout'],
};

export const linuxShell: Dialect = {
  name: 'linux-shell',
  prompt: /^(?<base>.{0,100}[#$%>])$/,
  prompts: escapePattern,
  setUp: [],
  pagers: allPagers,
  errors: [/^\w*sh: .*not found/i],
  noise: [],
  signOut: ['exit'],
};
