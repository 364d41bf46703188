/**
 * Recognises error texts of MikroTik RouterOS. Commands run in ssh channels, without prompt or pager.
 *
 * Source: RouterOS manual, "Command Line Interface".
 */

import type { Dialect } from '@skolo/equipment/transports';

export const routeros: Pick<Dialect, 'errors' | 'noise'> = {
  errors: [
    /^(?:bad command name|syntax error|expected |input does not match|invalid value|no such item)/i,
    /^(?:failure:|not enough permissions|ambiguous value|missing value)/i,
  ],
  noise: [],
};
