import { expect, it } from 'vitest';
import { whoMakesRoom } from './fair-share.ts';

function entries(names: string) {
  return [...names].map((name, age) => ({ name, age }));
}

it.each([
  ['aaab', 'b', 0],
  ['baaa', 'b', 1],
  ['aabb', 'a', 0],
  ['aabb', 'c', 0],
  ['babab', 'c', 0],
  ['aaa', 'a', 0],
  ['ab', 'c', undefined],
])('of %s, for another one of %s, it is number %s', (names, newcomer, expected) => {
  expect(whoMakesRoom(entries(names), newcomer)?.age).toBe(expected);
});
