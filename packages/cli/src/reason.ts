import { type ReasonedAction, reasonRequired } from '@skolo/api/reasons';
import { Option } from 'commander';

/** The option `--reason`, and whether it is required, by the same rule as in the console. */
export function reasonFor(action: ReasonedAction, about: string): Option {
  return new Option('--reason <text>', about).makeOptionMandatory(reasonRequired[action]);
}
