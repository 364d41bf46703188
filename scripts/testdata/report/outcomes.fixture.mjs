import { beforeAll, describe, expect, it } from 'vitest';

it('passes', () => {});

it('fails', () => {
  expect({ name: 'router', port: 1 }).toEqual({ name: 'router', port: 2 });
});

it('is skipped', (context) => context.skip('curl is not installed'));

it.skip('is skipped by hand', () => {});

describe.skipIf('needs root').concurrent.each([1])('part %i', () => {
  it.each([2])('test %i is skipped with its suite', () => {});
});

it.skipIf('takes long').each([3])('test %i is skipped with its reason', () => {});

it.skipIf(undefined)('passes where nothing is missing', () => {});

describe('with a hook that fails', () => {
  beforeAll(() => {
    throw new Error('no server\nat this address');
  });

  it('never begins', () => {});
});
