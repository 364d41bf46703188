import { expect, inject, type TestContext } from 'vitest';
import type { Container } from './container.ts';
import { type Docker, useDocker } from './docker.ts';
import type { EngineAccess } from './engine.ts';
import type { Relay } from './relay.ts';

/** The engine that has all images, and its command. */
export interface TestEngine {
  access: EngineAccess;
  docker: Docker;
  /** Of the builder's requests, those that went to no mirror of Debian. */
  rejected: readonly string[];
}

/** Of `setup`; where there is none here, the test is skipped by name. */
export function theEngine(skip: TestContext['skip']): TestEngine {
  const prepared = inject('prepared');
  if (prepared.is === 'missing') return skip(prepared.why);
  if (prepared.is === 'failed') expect.fail(prepared.why);
  const { access, rejected } = prepared;
  return { access, docker: useDocker(access), rejected };
}

/** Waits until it is ready; fails with what it logged when it is not, or has ended. */
export async function becomesReady(container: Container, relay: Relay, url: string): Promise<void> {
  let ended = false;
  const look = async () => {
    const { Status } = await container.state();
    ended = Status === 'exited';
    if (ended) return Status;
    return relay.fetch(`${url}/readyz`).then(
      ({ status, body }) => (status === 200 ? 'ready' : `${status} ${body}`),
      (error: Error) => error.message,
    );
  };
  try {
    await expect.poll(async () => (await look()) === 'ready' || ended).toBe(true);
  } finally {
    const seen = await look();
    if (seen !== 'ready') {
      expect.fail(`it is not ready: ${seen}\n${await container.logs()}`);
    }
  }
}
