/** Facts of all models of equipment. Nothing here loads what speaks to a device. */

import type { Model } from './contract/model.ts';
import * as list from './list.ts';

export type { Ports } from '@skolo/equipment';
export type { Device } from './contract/device.ts';
export {
  literal,
  type Model,
  seconds,
  spreading,
  type Transport,
  whole,
} from './contract/model.ts';

/** By the name that rack.yaml gives. */
export const models: ReadonlyMap<string, Model> = new Map(
  Object.values(list).map((model) => [model.name, model]),
);
