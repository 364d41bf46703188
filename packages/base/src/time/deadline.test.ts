import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { orAborted, withDeadline } from './deadline.ts';

const late = () => new Error('late');
const never = new Promise<never>(() => undefined);

/** Ends only with its signal. */
function obedient(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('withDeadline', () => {
  it('gives the result of the work, and leaves no timer', async () => {
    await expect(withDeadline({ ms: 1000, late }, async () => 7)).resolves.toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends the work when the time is up', async () => {
    const ended = expect(withDeadline({ ms: 1000, late }, obedient)).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(1000);
    await ended;
  });

  it.each(['its time', "the caller's signal"])(
    'does not wait for work that does not notice the end of %s',
    async (end) => {
      const stop = new AbortController();
      const ended = expect(
        withDeadline({ ms: 1000, late, signal: stop.signal }, () => never),
      ).rejects.toThrow(end === 'its time' ? 'late' : 'off');
      if (end === 'its time') await vi.advanceTimersByTimeAsync(1000);
      else stop.abort(new Error('off'));
      await ended;
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('waits as long as a timer can if the time is longer', async () => {
    const limits = { ms: 2 ** 31, late };
    const ended = expect(withDeadline(limits, obedient)).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(2 ** 31 - 1);
    await ended;
  });

  it('takes what arrived in time while this process was blocked', async () => {
    vi.useRealTimers();
    const isPosted = new Int32Array(new SharedArrayBuffer(4));
    const program = `
      const { parentPort, workerData: isPosted } = require('node:worker_threads');
      parentPort.postMessage('in time');
      Atomics.store(isPosted, 0, 1);
      Atomics.notify(isPosted, 0);`;
    const worker = new Worker(program, { eval: true, workerData: isPosted });
    const answer = once(worker, 'message');

    const result = withDeadline({ ms: 50, late }, () => answer);
    Atomics.wait(isPosted, 0, 0);
    // Until the time is up.
    Atomics.wait(isPosted, 0, 1, 100);

    expect(await result).toEqual(['in time']);
  });

  it("ends the work with the caller's signal", async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const ended = expect(withDeadline({ ms: 1000, late, signal }, obedient)).rejects.toThrow('off');
    stop.abort(new Error('off'));
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not begin when the signal is aborted', async () => {
    const work = vi.fn();
    const signal = AbortSignal.abort(new Error('off'));
    await expect(withDeadline({ ms: 1000, late, signal }, work)).rejects.toThrow('off');
    expect(work).not.toHaveBeenCalled();
  });

  it('throws the reason, not what the work makes of it', async () => {
    const work = (signal: AbortSignal) =>
      obedient(signal).catch(() => {
        throw new Error('socket closed');
      });
    const ended = expect(withDeadline({ ms: 1000, late }, work)).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(1000);
    await ended;
  });
});

describe('orAborted', () => {
  it('gives up work that ignores the signal', async () => {
    const stop = new AbortController();
    const ended = expect(orAborted(never, stop.signal)).rejects.toThrow('off');
    stop.abort(new Error('off'));
    await ended;
    await expect(orAborted(never, stop.signal)).rejects.toThrow('off');
  });

  it('gives what the work gives', async () => {
    const { signal } = new AbortController();
    await expect(orAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(orAborted(Promise.reject(late()), signal)).rejects.toThrow('late');
    await expect(orAborted(Promise.resolve(1), undefined)).resolves.toBe(1);
  });
});
