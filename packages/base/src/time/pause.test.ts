import { expect, it } from 'vitest';
import { pause } from './pause.ts';

it('ends after the time', async () => {
  await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
});

it.each([2 ** 31, 1e308, Number.POSITIVE_INFINITY])(
  'does not end at once if it is %d ms',
  async (ms) => {
    const stop = new AbortController();
    const long = pause(ms, stop.signal).catch(() => 'aborted');
    await expect(Promise.race([long, pause(20).then(() => 'waiting')])).resolves.toBe('waiting');
    stop.abort();
    await long;
  },
);

it("throws the signal's reason as soon as it is aborted", async () => {
  const stop = new AbortController();
  const ended = expect(pause(2 ** 31 - 1, stop.signal)).rejects.toThrow('off');
  stop.abort(new Error('off'));
  await ended;
  await expect(pause(1, stop.signal)).rejects.toThrow('off');
});
