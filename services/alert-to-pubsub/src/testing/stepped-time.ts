/** A clock that advances when a test says so, or when nothing else happens, including pauses. */
import { setImmediate as turn } from 'node:timers/promises';
import { type FakeTime, fakeTime } from '@skolo/common/testing';

export interface SteppedTime extends Omit<FakeTime, 'pass'> {
  /** Advances the time; pauses that are over by then end, each at its time. */
  pass(ms: number): Promise<void>;
  /** Lets everything happen that can happen now. */
  settle(): Promise<void>;
  /** Advances the time from the end of one pause to the next until the condition holds. */
  until(isSo: () => boolean): Promise<void>;
}

const turns = 12;
const mostSteps = 100_000;
const mostIdle = 200;

export function steppedTime(): SteppedTime {
  const time = fakeTime();
  const { clock } = time;

  async function settle(): Promise<void> {
    for (let i = 0; i < turns; i += 1) await turn();
  }

  /** To the end of the next pause, if that is not later. */
  function step(latestMs: number): boolean {
    const next = Math.min(...time.pauses());
    if (next > latestMs + 1e-6 || next === Number.POSITIVE_INFINITY) return false;
    time.pass(Math.max(0, next));
    return true;
  }

  return {
    ...time,
    settle,
    async pass(ms) {
      const latest = clock.uptime() + ms / 1000;
      const leftMs = () => (latest - clock.uptime()) * 1000;
      await settle();
      while (step(leftMs())) await settle();
      clock.pass(Math.max(0, leftMs()));
    },
    async until(isSo) {
      for (let steps = 0, idle = 0; steps < mostSteps && idle < mostIdle; steps += 1) {
        await settle();
        if (isSo()) return;
        idle = step(Number.POSITIVE_INFINITY) ? 0 : idle + 1;
      }
      throw new Error('it does not come to that');
    },
  };
}
