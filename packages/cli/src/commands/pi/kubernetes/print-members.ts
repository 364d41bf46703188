import type { MemberResult } from '@skolo/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { outcomeOf, printOutcomes } from '../pi-steps.ts';

/** Prints what became of each computer, and sets the exit code. */
export function printMembers({ io }: SkoloCommand, results: readonly MemberResult[]): void {
  const outcomes = results.map(({ name, steps, why }) =>
    outcomeOf(why === undefined ? { name, value: steps } : { name, error: why }),
  );
  printOutcomes(io, outcomes);
}
