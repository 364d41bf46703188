/** Decides the order of the stages in which a spare replaces a dead jumphost. */

import type { Secret } from '@skolo/base/secrets';
import type { Guard, Step } from '@skolo/setup/engine';
import { databaseStep, newClusterStep } from './database.ts';
import type { FenceEvidence } from './fence.ts';
import { copyStep, isTrusted, placeStep, type StateCopy } from './staging.ts';
import { addressStep, aloneStep, nodePasswordStep, spareStep, type TakeOver } from './take-over.ts';

/** Steps of `stepsOf` that can be applied to a spare before it becomes the jumphost. */
const beforehand: ReadonlySet<string> = new Set(['system', 'packages', 'node', 'programs']);

interface RehearsalNeeds {
  takeOver: TakeOver;
  copy: StateCopy;
  /** The token from the store; or `new` if the database cannot be decrypted. */
  cluster: { token: Secret | undefined } | 'new';
  /** Of `stepsOf`, for the spare. */
  steps: readonly Step[];
}

/** Steps that do not change the rack, so that the spare still works as before. */
export function rehearsalSteps({ takeOver, steps, copy, cluster }: RehearsalNeeds): Step[] {
  return [
    ...steps.filter(({ name }) => beforehand.has(name)),
    spareStep(takeOver),
    copyStep(copy),
    cluster === 'new'
      ? newClusterStep()
      : databaseStep({ token: cluster.token, isTrusted: isTrusted(copy) }),
  ];
}

interface SwapNeeds extends Pick<RehearsalNeeds, 'copy' | 'takeOver' | 'cluster'> {
  fenced: FenceEvidence;
  guard: Guard;
  /** The parts that the new jumphost keeps. */
  about: object;
}

/** After the fence: from the state to the new address. */
export function swapSteps({ copy, takeOver, cluster, fenced, guard, about }: SwapNeeds): Step[] {
  return [
    aloneStep(takeOver),
    placeStep({
      copy,
      keepOff: fenced.keepOff,
      token: cluster === 'new' ? undefined : cluster.token,
    }),
    addressStep(takeOver, about, guard),
  ];
}

/**
 * The remaining steps when it is reached as the jumphost.
 *
 * @param steps of `stepsOf`
 */
export function afterSwapSteps(jumphost: string, steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.name === 'label' ? [nodePasswordStep(jumphost), step] : [step],
  );
}
