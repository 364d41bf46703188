import { lacks, type PeerName } from '@skolo/simulators/peer';
import { TestRunner } from 'vitest';

/** Skips the test that is running if one of these is not installed or, for `root`, its user is not root. For helpers of tests. */
export function needs(...names: (PeerName | 'root')[]): void {
  const why = lacks(...names);
  if (why === undefined) return;
  const test = TestRunner.getCurrentTest();
  if (test) test.context.skip(why);
  throw new Error(`${why}: outside of a test, use describe.skipIf(lacks('${names.join("', '")}'))`);
}
