import { expect, inject, type TestContext } from 'vitest';
import { type Docker, useDocker } from './docker.ts';
import type { EngineAccess } from './engine.ts';

/** The engine that has all images, and its command. */
export interface TestEngine {
  access: EngineAccess;
  docker: Docker;
  /** Of the builder's requests, those that went to no mirror of Debian. */
  refused: readonly string[];
}

/** Of `setup`; where there is none here, the test is skipped by name. */
export function theEngine(skip: TestContext['skip']): TestEngine {
  const prepared = inject('prepared');
  if (prepared.is === 'missing') return skip(prepared.why);
  if (prepared.is === 'failed') expect.fail(prepared.why);
  const { access, refused } = prepared;
  return { access, docker: useDocker(access), refused };
}
