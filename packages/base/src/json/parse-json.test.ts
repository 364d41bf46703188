import { expect, it } from 'vitest';
import { isObject } from './parse-json.ts';

it.each([
  [{}, true],
  [Object.create(null), true],
  [{ length: 0 }, true],
  [null, false],
  [undefined, false],
  [[], false],
  ['text', false],
  [() => 1, false],
])('%o: %s', (value, is) => {
  expect(isObject(value)).toBe(is);
});
