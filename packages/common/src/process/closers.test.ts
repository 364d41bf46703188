import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryLog } from '../testing/memory-log.ts';
import { Closers } from './closers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Closers', () => {
  it('closes in the opposite order, each once', async () => {
    const closed: string[] = [];
    const closers = new Closers();
    for (const what of ['first', 'second']) closers.add(what, () => void closed.push(what));

    await closers.closeAll(1000, memoryLog().log);
    await closers.closeAll(1000, memoryLog().log);

    expect(closed).toEqual(['second', 'first']);
  });

  it('goes on when something fails', async () => {
    const { log, lines } = memoryLog();
    const closed: string[] = [];
    const closers = new Closers();
    closers.add('first', () => void closed.push('first'));
    closers.add('second', () => Promise.reject(new Error('stuck')));
    closers.add('third', () => {
      throw new Error('broken');
    });

    await closers.closeAll(1000, log);

    expect(closed).toEqual(['first']);
    expect(lines()).toMatchObject([
      { msg: 'did not close cleanly', what: 'third', err: { message: 'broken' } },
      { msg: 'did not close cleanly', what: 'second', err: { message: 'stuck' } },
    ]);
  });

  it('shares the time: who comes late still gets half a second', async () => {
    const { log, lines } = memoryLog();
    const given: number[] = [];
    const closers = new Closers();
    for (const what of ['last', 'hangs']) {
      closers.add(what, (withinMs) => {
        given.push(withinMs);
        return new Promise(() => undefined);
      });
    }

    const closed = closers.closeAll(1000, log);
    await vi.advanceTimersByTimeAsync(1500);
    await closed;

    expect(given).toEqual([1000, 500]);
    expect(lines()).toMatchObject([
      { msg: 'did not close in time', what: 'hangs' },
      { msg: 'did not close in time', what: 'last' },
    ]);
  });
});
