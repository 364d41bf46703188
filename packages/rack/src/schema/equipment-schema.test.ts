import { models } from '@skolo/equipment/models';
import { expect, it } from 'vitest';
import { equipmentShape } from './equipment-schema.ts';

it.each([...models.values()])('$name has no key that all have', ({ options }) => {
  expect(Object.keys(options).filter((key) => Object.hasOwn(equipmentShape, key))).toEqual([]);
});
