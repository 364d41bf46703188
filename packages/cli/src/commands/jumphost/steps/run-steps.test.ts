/** The output of steps without a terminal. */
import type { Host } from '@skolo/setup/engine';
import { afterEach, expect, it, vi } from 'vitest';
import { testIo } from '../../../testing/test-io.ts';
import { stepRunner } from './run-steps.ts';

afterEach(() => void vi.useRealTimers());

const fail = () => Promise.reject(new Error('there is no host'));
const nowhere: Host = { name: 'nowhere', run: fail, need: fail, write: fail, read: fail };

it('says what a step does, and at least every 15 s what it waits for', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const said: string[] = [];
  const { report, run } = stepRunner(testIo({ out: (text) => said.push(text) }));
  const ready = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const step = {
    name: 'overlay',
    about: 'everything runs',
    async check() {
      report('metadata-server: 0 of 1 pods are ready');
      report('metadata-server: 0 of 1 pods are ready');
      began.resolve();
      await ready.promise;
      return { differs: [] };
    },
  };
  const { signal } = new AbortController();
  const running = run(nowhere, [step], { isCheck: true, signal });
  await began.promise;
  vi.advanceTimersByTime(31_000);
  ready.resolve();
  await running;

  expect(said).toEqual([
    '  metadata-server: 0 of 1 pods are ready',
    'overlay: checking for 15 s: metadata-server: 0 of 1 pods are ready',
    'overlay: checking for 30 s: metadata-server: 0 of 1 pods are ready',
  ]);
});
