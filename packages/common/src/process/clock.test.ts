import { uptime } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createClock, systemClock } from './clock.ts';

function fakeSources() {
  const times = { wall: 0, boot: 1000, monotonic: 5 };
  let bootReads = 0;
  const clock = createClock({
    wall: () => times.wall,
    boot: () => {
      bootReads += 1;
      return times.boot;
    },
    monotonic: () => times.monotonic,
  });
  return { clock, times, bootReads: () => bootReads };
}

describe('createClock', () => {
  it('reads the boot clock once in 250 ms and counts on in between', () => {
    const { clock, times, bootReads } = fakeSources();

    const first = clock.uptime();
    times.monotonic += 200;
    const second = clock.uptime();

    expect([first, second, bootReads()]).toEqual([1000, 1000.2, 1]);
  });

  it('sees the time that the computer slept', () => {
    const { clock, times } = fakeSources();
    clock.uptime();

    times.boot += 3600;
    times.monotonic += 251;

    expect(clock.uptime()).toBe(4600);
  });

  it.each([
    ['a suspended computer, whose monotonic clock stands still', 3600, 251, 1],
    ['a stopped process', 3600, 3_600_000, 1],
    ['a virtual machine whose clocks are paused as well, so that nothing ages', 0, 0, 0],
  ])('counts a gap of %s', (_, bootSeconds, monotonicMs, gaps) => {
    const { clock, times } = fakeSources();
    clock.presence.beat();
    const since = clock.uptime();

    times.boot += bootSeconds;
    times.monotonic += monotonicMs;

    expect(clock.presence.ageOf(since, 60)).toBeLessThan(4);
    expect(clock.presence.count).toBe(gaps);
  });

  it.each([0, 1, 200, 250])(
    'notices a suspension that ended %i ms ago by the monotonic clock',
    (monotonicMs) => {
      const { clock, times } = fakeSources();
      const wasPaused = clock.presence.watch();
      const wasPausedLater = () => {
        times.boot += 3600;
        times.monotonic += monotonicMs;
        return clock.presence.watch();
      };
      const isSeenByNext = wasPausedLater();

      expect(wasPaused()).toBe(true);
      expect(isSeenByNext()).toBe(false);
      expect(clock.presence.latestGap()).toMatchObject({ until: 4600 });
    },
  );

  it('does not go back when the boot clock is coarser than the count', () => {
    const { clock, times } = fakeSources();
    clock.uptime();
    times.monotonic += 249;
    const before = clock.uptime();

    times.boot += 0.24;
    times.monotonic += 2;

    expect(clock.uptime()).toBe(before);
  });

  it('does not jump with the wall clock', () => {
    const { clock, times } = fakeSources();
    const before = clock.uptime();

    times.wall += 1e12;

    expect(clock.now()).toBe(1e12);
    expect(clock.uptime()).toBe(before);
  });
});

it('systemClock is this computer', () => {
  const before = uptime();

  const seen = systemClock.uptime();

  expect(seen).toBeGreaterThanOrEqual(before - 0.25);
  expect(seen).toBeLessThanOrEqual(uptime() + 0.25);
});
