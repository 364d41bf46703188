import { models } from '@skolo/equipment/models';
import { expect, it } from 'vitest';
import { infrastructureShape } from './infrastructure-schema.ts';

it.each([...models.values()])('$name has no key that all have', ({ options }) => {
  expect(Object.keys(options).filter((key) => Object.hasOwn(infrastructureShape, key))).toEqual([]);
});
