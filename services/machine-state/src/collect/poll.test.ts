import { fakeClock } from '@skolo/common/testing';
import { expect, it, onTestFinished } from 'vitest';
import { Poll } from './poll.ts';

type Result = 'answer' | 'failure' | 'interrupted';

/** After these results, while the next request is under way. */
async function after(results: readonly Result[]) {
  const clock = fakeClock();
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const left = [...results];
  const done = Promise.withResolvers<void>();
  const poll = new Poll({
    everyMs: 1,
    retryMs: 1,
    presence: clock.presence,
    onAnswer: () => undefined,
    async ask() {
      const result = left.shift();
      if (result === 'answer') return 'known';
      if (result === 'interrupted') clock.sleep(38_000);
      if (result !== undefined) throw new Error('no response within 10 s');
      done.resolve();
      return await new Promise<string>(() => undefined);
    },
  });
  poll.start(stopping.signal);
  await done.promise;
  return [poll.latest, poll.isKnown];
}

it.each<[Result[], string | undefined, boolean]>([
  [[], undefined, false],
  [['failure'], undefined, false],
  [['failure', 'failure'], undefined, true],
  [['answer'], 'known', true],
  [['answer', 'failure'], 'known', true],
  [['answer', 'failure', 'failure'], undefined, true],
  [['answer', 'failure', 'failure', 'answer'], 'known', true],
  // A pause of this service, and not of the other, ended them.
  [['interrupted', 'interrupted', 'interrupted'], undefined, false],
  [['answer', ...Array<Result>(5).fill('interrupted')], 'known', true],
  // Nothing hides a dead service for ever.
  [['answer', ...Array<Result>(8).fill('interrupted')], undefined, true],
])('after %j, the answer is %s (known: %s)', async (results, latest, isKnown) => {
  expect(await after(results)).toEqual([latest, isKnown]);
});
