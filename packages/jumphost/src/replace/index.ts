/** A spare takes the place of a jumphost that is dead: stages, in their order. */

import type { Guard, Step } from '@skolo/computers';
import type { Secret } from '@skolo/secrets';
import { databaseStep, newClusterStep } from './database.ts';
import { copyStep, placeStep, type StateCopy } from './staging.ts';
import { addressStep, aloneStep, nodePasswordStep, spareStep, type TakeOver } from './take-over.ts';

/** Steps of `stepsOf` that a spare can have before it is the jumphost. */
const beforehand: ReadonlySet<string> = new Set(['system', 'packages', 'node', 'programs']);

interface RehearsalNeeds {
  takeOver: TakeOver;
  copy: StateCopy;
  /** The token of the store; or `new`: the database cannot be opened. */
  cluster: { token: Secret | undefined } | 'new';
  /** Of `stepsOf`, for the spare. */
  steps: readonly Step[];
}

/** All that changes nothing of the rack: the spare is as before for everybody else. */
export function rehearsalSteps({ takeOver, steps, copy, cluster }: RehearsalNeeds): Step[] {
  return [
    ...steps.filter(({ name }) => beforehand.has(name)),
    spareStep(takeOver),
    copyStep(copy),
    cluster === 'new' ? newClusterStep() : databaseStep(cluster.token),
  ];
}

interface SwapNeeds extends Pick<RehearsalNeeds, 'copy' | 'takeOver'> {
  /** That the fence has off. */
  fenced: readonly string[];
  guard: Guard;
  /** What the new jumphost keeps of it. */
  about: object;
}

/** Behind the fence: from the state to the new address. */
export function swapSteps({ copy, takeOver, fenced, guard, about }: SwapNeeds): Step[] {
  return [aloneStep(takeOver), placeStep({ copy, fenced }), addressStep(takeOver, about, guard)];
}

/**
 * What is left when it is reached as the jumphost.
 *
 * @param steps of `stepsOf`
 */
export function afterSwapSteps(jumphost: string, steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.name === 'label' ? [nodePasswordStep(jumphost), step] : [step],
  );
}
