/** Lists all checks of the whole rack, in their order. */
import { type Draft, reportTo } from '../draft/draft.ts';
import type { Problem } from '../issues/issues.ts';
import { checkAddresses } from './addresses.ts';
import { checkContradictions } from './contradictions.ts';
import { checkLoops } from './loops.ts';
import { checkNames } from './names.ts';
import { checkOutlets } from './outlets.ts';
import { checkReferences } from './references.ts';
import { checkServices } from './services.ts';

/** Adds problems. Converts outlets to the notation of their model. */
export function runChecks(draft: Draft, problems: Problem[]): void {
  const report = reportTo(problems);
  for (const check of [
    checkNames,
    checkReferences,
    checkOutlets,
    checkAddresses,
    checkLoops,
    checkServices,
    checkContradictions,
  ]) {
    check(draft, report);
  }
}
