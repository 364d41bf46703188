import { beforeAll, describe, expect, it } from 'vitest';

it('passes', () => {});

it('fails', () => {
  expect(1).toBe(2);
});

it('is skipped', (context) => context.skip('curl is not installed'));

describe('with a hook that fails', () => {
  beforeAll(() => {
    throw new Error('no server\nat this address');
  });

  it('never begins', () => {});
});
