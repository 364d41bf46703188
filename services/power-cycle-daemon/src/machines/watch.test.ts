import { expect, it, onTestFinished, vi } from 'vitest';
import type { Look } from './probe.ts';
import { pauseAfter, seeBack } from './watch.ts';

const { signal } = new AbortController();
const tuning = { lookMs: 50, everyMs: 1, downMs: 1 };

/** The daemon is paused for an hour during the first look. */
async function backAfterPause(second: Look) {
  const looks: Look[] = [{ is: 'unanswered', text: 'no response' }, second];
  let pausedMs = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => pausedMs);
  onTestFinished(() => spy.mockRestore());
  const probe = async () => {
    pausedMs = 3_600_000;
    return looks.shift() ?? expect.fail('it has looked often enough');
  };
  const options = {
    sawDown: undefined,
    bootId: undefined,
    withinMs: 60_000,
    onDown: () => undefined,
  };
  return await seeBack({ probe, agent: undefined }, options, tuning, signal);
}

it('a pause of the daemon says nothing about the machine: the next look does', async () => {
  expect(await backAfterPause({ is: 'up', text: 'SSH is responding' })).toMatchObject({
    is: 'back',
  });
  expect(await backAfterPause({ is: 'unanswered', text: 'still no response' })).toMatchObject({
    is: 'not-back',
    text: 'not back within 60 s: still no response',
  });
});

it.each<[Look['is'], number, number]>([
  ['unanswered', 0, 500],
  ['refused', 0, 500],
  ['closed', 0, 1500],
  ['silent', 0, 1500],
  ['unknown', 0, 1500],
  ['refused', 1, 600],
  ['refused', 100, 5000],
  ['closed', 100, 5000],
])('a machine that is %s is looked at again, after %i looks, in %i ms', (is, looks, ms) => {
  expect(pauseAfter({ is, text: 'not yet' }, looks, { everyMs: 1500, downMs: 500 })).toBe(ms);
});
