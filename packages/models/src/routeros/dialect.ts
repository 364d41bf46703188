/**
 * MikroTik RouterOS: `[user@Identity] >`, `[user@Identity] /interface>`.
 *
 * `+ct511w4098h` behind the user's name: no colours, no automatic detection of the terminal (which sends cursor probes and
 * waits), 511 columns, 4098 lines before the pager. What is typed is painted once more when it is entered.
 *
 * Source: RouterOS manual, "Command Line Interface", console login options; netmiko uses the same ones.
 */

import { type Dialect, escapePattern } from '@skolo/equipment';
import { routerosPager } from '../families/pagers.ts';

export const routeros: Dialect = {
  name: 'routeros',
  prompt: /^(?<base>\[[^\]]+@[^\]]+\]) (?:\/[\w -]*|<SAFE>)?>$/,
  prompts: (base) => `${escapePattern(base)} (?:\\/[\\w -]*|<SAFE>)?>`,
  setUp: [],
  pagers: [routerosPager],
  errors: [
    /^(?:bad command name|syntax error|expected |input does not match|invalid value|no such item)/i,
    /^(?:failure:|not enough permissions|ambiguous value|missing value)/i,
  ],
  noise: [],
  signOut: ['/quit'],
  username: (name) => `${name}+ct511w4098h`,
};
