import { afterAll, TestRunner } from 'vitest';
import type { AtTheEnd } from './temp-dir.ts';

/** Receives also from a `beforeAll` what closes a part of these tests, and closes the last part first. */
export function cleanUps(): AtTheEnd {
  // Its afterAll would never run.
  if (TestRunner.getCurrentTest()) throw new Error('cleanUps: in a test, use onTestFinished');
  const all: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const cleanUp of all) await cleanUp();
  });
  return (cleanUp) => all.unshift(cleanUp);
}
