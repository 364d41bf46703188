/** Facts about all models of equipment. Loads no code that communicates with devices. */

import type { Model } from './contract/model.ts';
import { describedModels } from './described/described.ts';
import * as list from './list.ts';

export type { Ports } from '@skolo/equipment/transports';
export type { Device, Transport } from './contract/device.ts';
export {
  literal,
  type Model,
  type Readable,
  readables,
  seconds,
  spreading,
  whole,
} from './contract/model.ts';
export { modelSetting } from './described/described.ts';
export { whyUnsure } from './described/signs.ts';
export { expression, isExpression } from './families/described-facts.ts';
export { type Evidence, evidenceOf, evidenceText, levelText } from './proofs/levels.ts';

/** By the name used in rack.yaml, and in that order. */
export const models: ReadonlyMap<string, Model> = new Map(
  [...Object.values(list), ...describedModels]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((model) => [model.name, model]),
);

/** By its name, or a previous one. */
export function modelNamed(name: string): Model | undefined {
  return models.get(name) ?? [...models.values()].find(({ was }) => was?.includes(name));
}
