import { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { watchPauses } from './pauses.ts';

function start() {
  vi.useFakeTimers();
  const clock = fakeClock();
  const metrics = new Registry();
  let shown: string | undefined;
  const set = (_: string, why: string | undefined) => {
    shown = why;
  };
  // Before this service started.
  clock.sleep(3_600_000);
  const stop = watchPauses({ presence: clock.presence, metrics, degraded: { set } });
  onTestFinished(() => {
    stop();
    vi.useRealTimers();
  });
  return {
    clock,
    /** After a pause of so many milliseconds. */
    after(ms: number) {
      clock.sleep(ms);
      vi.advanceTimersByTime(1000);
      return shown;
    },
    count: async () =>
      (await metrics.getSingleMetric('skolo_pauses_total')?.get())?.values[0]?.value,
  };
}

it('short pauses of a busy computer are counted, but shown only if they add up', async () => {
  const { clock, after, count } = start();
  for (let minute = 0; minute < 60; minute += 1) {
    expect(after(3400)).toBeUndefined();
    clock.pass(60_000);
  }
  expect(await count()).toBe(60);

  for (let each = 0; each < 10; each += 1) after(3500);

  expect(after(3400)).toMatch(/^the service was paused for 3 s \(71 pauses since its start\)/);
});

it('a long pause is shown for ten minutes', () => {
  const { clock, after } = start();
  expect(after(38_000)).toMatch(/^the service was paused for 38 s \(1 pause since its start\)/);
  clock.pass(590_000);
  expect(after(0)).toBeDefined();
  clock.pass(11_000);
  expect(after(0)).toBeUndefined();
});
