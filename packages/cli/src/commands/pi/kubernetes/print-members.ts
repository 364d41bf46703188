import type { MemberResult } from '@skolo/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { failPartly } from '../../../errors.ts';
import { isWrong, outcomeOf, printOutcomes } from '../pi-steps.ts';

/** Prints what became of each computer, and sets the exit code. */
export function printMembers({ io }: SkoloCommand, results: readonly MemberResult[]): void {
  const outcomes = results.map(({ name, steps, why }) =>
    outcomeOf(why === undefined ? { name, value: steps } : { name, error: why }),
  );
  printOutcomes(io, outcomes);
  const wrong = outcomes.filter(isWrong).length;
  if (wrong > 0) failPartly(io, wrong < outcomes.length);
}
