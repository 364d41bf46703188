/** Time that passes when a test lets it pass, or when nothing else happens; pauses included. */
import { setImmediate as turn } from 'node:timers/promises';
import { type FakeClock, fakeClock } from '@skolo/common/testing';

export interface FakeTime {
  clock: FakeClock;
  /** For what takes a `pause`. */
  pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Lets time pass; pauses that are over by then end, each at its time. */
  pass(ms: number): Promise<void>;
  /** Lets what can happen now happen. */
  settle(): Promise<void>;
  /** Lets time pass from one end of a pause to the next until it is so. */
  until(isSo: () => boolean): Promise<void>;
  /** How long the pauses are that last now, in milliseconds. */
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
