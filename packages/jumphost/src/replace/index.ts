/** A spare takes the place of a jumphost that is dead: stages, in their order. */
import type { Guard } from '../guarded-change.ts';
import type { Step } from '../step.ts';
import { type DatabaseNeeds, databaseStep } from './database.ts';
import { copyStep, placeStep, type StateCopy } from './staging.ts';
import {
  addressStep,
  aloneStep,
  formerAddressStep,
  nodePasswordStep,
  type TakeOver,
} from './take-over.ts';

/** Steps of `stepsOf` that a spare can have before it is the jumphost. */
const beforehand: ReadonlySet<string> = new Set(['system', 'packages', 'node', 'programs']);

export interface ReplaceNeeds {
  copy: StateCopy;
  database: DatabaseNeeds;
  takeOver: TakeOver;
  /** Of `stepsOf`, for the spare. */
  steps: readonly Step[];
}

/** All that changes nothing of the rack: the spare is as before for everybody else. */
export function rehearsalSteps({ steps, copy, database }: Omit<ReplaceNeeds, 'takeOver'>): Step[] {
  return [
    ...steps.filter(({ name }) => beforehand.has(name)),
    copyStep(copy),
    databaseStep(database),
  ];
}

export interface SwapNeeds extends Pick<ReplaceNeeds, 'copy' | 'takeOver'> {
  fence: Step;
  /** That the fence has off. */
  fenced: readonly string[];
  guard: Guard;
  /** What the new jumphost keeps of it. */
  about: object;
}

/** From the fence to the new address. */
export function swapSteps({ copy, takeOver, fence, fenced, guard, about }: SwapNeeds): Step[] {
  return [
    fence,
    aloneStep(takeOver),
    placeStep({ copy, fenced }),
    addressStep(takeOver, about, guard),
  ];
}

/**
 * What is left when it is reached as the jumphost.
 *
 * @param steps of `stepsOf`
 */
export function afterSwapSteps(takeOver: TakeOver, steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => {
    if (step.name === 'address') return [step, formerAddressStep(takeOver)];
    return step.name === 'label' ? [nodePasswordStep(takeOver), step] : [step];
  });
}
