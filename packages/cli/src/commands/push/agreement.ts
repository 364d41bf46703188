/** Decides what a person must confirm before a push, such as the number of deletions. */
import { count } from '@skolo/base';
import { deletionsWithoutQuestion } from '@skolo/fleet/push';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { mustType, type Question } from '../../must-type.ts';

export interface Agreement {
  /** Without asking. */
  yes: boolean;
  /** Expected deletions. */
  deletions?: number | undefined;
}

/** A rack, the objects in its overlay, and those that the push would delete. */
export interface NamedPlan {
  name: string;
  objects: readonly unknown[];
  deletions: readonly unknown[];
}

/**
 * Asks for confirmation. If many objects would be deleted, or all of a rack because its overlay is empty, their number must be typed.
 *
 * @throws CliError Not confirmed.
 */
export async function agree(
  io: Pick<Io, 'ask' | 'canAsk'>,
  plans: readonly NamedPlan[],
  { yes, deletions: expected }: Agreement,
  signal: AbortSignal,
): Promise<void> {
  const deletions = deletionsOf(plans);
  if (expected !== undefined && expected !== deletions) {
    throw new CliError(
      `nothing was changed: ${count(deletions, 'object')} would be deleted, not ${expected}; check the plan and, to confirm it, specify --deletions ${deletions}`,
    );
  }
  const isUnexpected = needsNumber(plans) && expected === undefined;
  if (yes && !isUnexpected) return;
  const names = plans.length === 1 ? plans[0]?.name : count(plans.length, 'rack');
  const question: Question = isUnexpected
    ? {
        what: `the number of objects to be deleted on ${names}`,
        wanted: `${deletions}`,
        option: `--deletions ${deletions}`,
      }
    : { what: `yes to push to ${names}`, wanted: 'yes', option: '--yes' };
  await mustType(io, question, signal);
}

/** Many objects would be deleted, or all of a rack: a plain yes does not cover that. */
export function needsNumber(plans: readonly NamedPlan[]): boolean {
  return deletionsOf(plans) > deletionsWithoutQuestion || plans.some(isRemoval);
}

function deletionsOf(plans: readonly NamedPlan[]): number {
  return plans.reduce((sum, { deletions: { length } }) => sum + length, 0);
}

/** The overlay is empty, which is more often a mistake than the end of a rack. */
function isRemoval({ objects, deletions }: NamedPlan): boolean {
  return objects.length === 0 && deletions.length > 0;
}
