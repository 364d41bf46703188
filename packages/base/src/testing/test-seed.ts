import { createHash } from 'node:crypto';
import { TestRunner } from 'vitest';
import { countRounds } from '../durable/testing/fault-injection.ts';

/**
 * Returns the seed of the running test, or of the file outside of a test: a hash of its name, so
 * that each run of a commit does the same. SKOLO_SEED replaces it.
 */
export function testSeed(): number {
  const { SKOLO_SEED } = process.env;
  if (SKOLO_SEED !== undefined) return Number(SKOLO_SEED);
  const name = TestRunner.getCurrentTest()?.fullTestName ?? TestRunner.getCurrentSuite().file.name;
  return createHash('sha256').update(name).digest().readUInt32LE() % 1_000_000;
}

/**
 * Returns the options of a fast-check property: a fifth of `count` runs on each push, twenty times
 * `count` in `npm run test:long`.
 */
export function runs(count: number): { numRuns: number; seed: number } {
  return { numRuns: countRounds(Math.ceil(count / 5), count * 20), seed: testSeed() };
}
