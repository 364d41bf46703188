import { type ReasonedAction, reasonRequired } from '@skolo/api/reasons';
import { Option } from 'commander';

/** `--reason` of an action that the console has, too. */
export function reasonFor(action: ReasonedAction, about: string): Option {
  return new Option('--reason <text>', about).makeOptionMandatory(reasonRequired[action]);
}
