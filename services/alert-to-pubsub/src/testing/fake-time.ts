/** A clock that advances when a test says so, or when nothing else happens, including pauses. */
import { setImmediate as turn } from 'node:timers/promises';
import { type FakeClock, fakeClock } from '@skolo/common/testing';

export interface FakeTime {
  clock: FakeClock;
  /** For parameters that accept a `pause`. */
  pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Advances the time; pauses that are over by then end, each at its time. */
  pass(ms: number): Promise<void>;
  /** Lets everything happen that can happen now. */
  settle(): Promise<void>;
  /** Advances the time from the end of one pause to the next until the condition holds. */
  until(isSo: () => boolean): Promise<void>;
  /** The lengths of the current pauses, in milliseconds. */
  pauses(): number[];
}

const turns = 12;
const mostSteps = 100_000;
const mostIdle = 200;

export function fakeTime(wall = '2026-11-20T12:00:00Z'): FakeTime {
  const clock = fakeClock(wall);
  const waiting = new Set<{ due: number; end: () => void }>();

  function pause(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        if (waiting.delete(entry)) reject(signal?.reason);
      };
      const end = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const entry = { due: clock.uptime() + ms / 1000, end };
      waiting.add(entry);
      signal?.addEventListener('abort', abort);
    });
  }

  async function settle(): Promise<void> {
    for (let i = 0; i < turns; i += 1) await turn();
  }

  /** To the end of the next pause, if that is not later. */
  function step(latest: number): boolean {
    const due = Math.min(...[...waiting].map((entry) => entry.due));
    if (due > latest + 1e-9 || due === Number.POSITIVE_INFINITY) return false;
    clock.pass(Math.max(0, due - clock.uptime()) * 1000);
    for (const entry of [...waiting]) {
      if (entry.due > due + 1e-9) continue;
      waiting.delete(entry);
      entry.end();
    }
    return true;
  }

  return {
    clock,
    pause,
    settle,
    async pass(ms) {
      const latest = clock.uptime() + ms / 1000;
      await settle();
      while (step(latest)) await settle();
      clock.pass(Math.max(0, latest - clock.uptime()) * 1000);
    },
    async until(isSo) {
      for (let steps = 0, idle = 0; steps < mostSteps && idle < mostIdle; steps += 1) {
        await settle();
        if (isSo()) return;
        idle = step(Number.POSITIVE_INFINITY) ? 0 : idle + 1;
      }
      throw new Error('it does not come to that');
    },
    pauses: () => [...waiting].map(({ due }) => Math.round((due - clock.uptime()) * 1000)),
  };
}
