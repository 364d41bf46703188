import { describe, expect, it, vi } from 'vitest';
import { runs, testSeed } from './test-seed.ts';

const seeds: number[] = [];

describe('testSeed', () => {
  it.each([1, 2])('returns the same number again, and another one for another test: %i', () => {
    seeds.push(testSeed());

    expect(testSeed()).toBe(seeds.at(-1));
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('returns a hash of the name of the test', () => {
    expect(testSeed()).toBe(552_030);
  });

  it('returns SKOLO_SEED if it is set', () => {
    vi.stubEnv('SKOLO_SEED', '12');

    expect(testSeed()).toBe(12);
    expect(runs(5)).toMatchObject({ seed: 12 });
    vi.unstubAllEnvs();
  });
});
