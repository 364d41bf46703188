import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { Presence } from './presence.ts';

const minute = 60_000;

describe('the age of an answer', () => {
  it('is the time since then, whatever the wall clock does', () => {
    const clock = fakeClock();
    const since = clock.uptime();
    clock.pass(40_000);
    clock.setWall(0);
    clock.pass(15_000);

    expect(clock.presence.ageOf(since, 60)).toBe(55);
  });

  it('begins again after a gap, until it has reached the limit', () => {
    const clock = fakeClock();
    const since = clock.uptime();
    const age = () => clock.presence.ageOf(since, 60);
    clock.pass(55_000);
    clock.sleep(38_000);
    const afterGap = age();
    clock.pass(minute);
    const isReached = age() >= 60;
    clock.sleep(60 * minute);

    expect(afterGap).toBeLessThan(20);
    expect(isReached).toBe(true);
    expect(age()).toBeGreaterThanOrEqual(60);
  });

  it('does not begin again after a gap that is short for its limit', () => {
    const clock = fakeClock();
    const since = clock.uptime();
    clock.pass(20 * 60 * minute);
    clock.sleep(minute);

    expect(clock.presence.ageOf(since, 26 * 3600)).toBe(20 * 3600 + 3);
  });
});

describe('while nobody else beats', () => {
  afterEach(() => void vi.useRealTimers());

  function start() {
    vi.useFakeTimers();
    let paused = 0;
    const uptime = () => paused + performance.now() / 1000;
    return {
      presence: new Presence(uptime),
      uptime,
      run: (seconds: number) => void vi.advanceTimersByTime(seconds * 1000),
      pause(seconds: number) {
        paused += seconds;
      },
    };
  }

  it.each([4, 17, 60, 7200])('a process that runs for %i s was not paused', (seconds) => {
    const { presence, run } = start();
    const wasPaused = presence.watch();

    run(seconds);

    expect(wasPaused()).toBe(false);
  });

  it.each([4, 60, 7200])('a pause of %i s is noticed, before it and after it', (seconds) => {
    const { presence, run, pause } = start();
    const wasPaused = presence.watch();

    run(20);
    pause(seconds);
    run(20);

    expect(wasPaused()).toBe(true);
    expect(presence.watch()()).toBe(false);
  });

  it('the age of an answer is the time since then', () => {
    const { presence, uptime, run } = start();
    const since = uptime();
    const ages = [5, 30, 24].map((seconds) => {
      run(seconds);
      return Math.round(presence.ageOf(since, 60));
    });

    expect(ages).toEqual([5, 35, 59]);
  });

  it('the latest gap is one of the process, not one between two questions', () => {
    const { presence, run, pause } = start();
    expect(presence.latestGap()).toBeUndefined();
    run(3600);
    expect(presence.latestGap()).toBeUndefined();
    pause(60);
    run(3600);

    const { from = 0, until = 0 } = presence.latestGap() ?? {};
    expect(Math.floor(until - from)).toBe(61);
  });

  it.each<[string, (presence: Presence) => number]>([
    ['the number of gaps', ({ count }) => count],
    ['the seconds lost in gaps', ({ lostSeconds }) => lostSeconds],
    ['the seconds lost since then', (presence) => presence.lostSince(0)],
  ])('%s is that of the process, from the first question on', (_, read) => {
    const { presence, run, pause } = start();
    expect(read(presence)).toBe(0);
    run(3600);
    expect(read(presence)).toBe(0);
    pause(60);
    run(3600);

    expect(read(presence)).toBeGreaterThan(0);
  });
});

/** What happens to an observer, in seconds. */
type Event = Partial<Record<'run' | 'sleep' | 'wall', number>>;
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ run: fc.integer({ min: 1, max: 90 }) }) },
  { weight: 2, arbitrary: fc.record({ sleep: fc.integer({ min: 4, max: 7200 }) }) },
  { weight: 1, arbitrary: fc.record({ wall: fc.integer({ min: 0, max: 2 ** 41 }) }) },
);
function happen(clock: ReturnType<typeof fakeClock>, { run, sleep, wall }: Event): void {
  if (run !== undefined) clock.pass(run * 1000);
  if (sleep !== undefined) clock.sleep(sleep * 1000);
  if (wall !== undefined) clock.setWall(wall);
}

const limit = 60;

describe('with any gaps and any jumps of the wall clock', () => {
  it('no silence ends without an answer', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const clock = fakeClock();
        const since = clock.uptime();
        let wasSilent = false;
        for (const each of events) {
          happen(clock, each);
          const isSilent = clock.presence.ageOf(since, limit) >= limit;
          expect(isSilent || !wasSilent).toBe(true);
          wasSilent = isSilent;
        }
      }),
      runs(500),
    );
  });

  it('what answers in time after each gap never counts as silent', () => {
    const answers = fc.tuple(event, fc.integer({ min: 1, max: 45 }));
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 60 }), (all) => {
        const clock = fakeClock();
        for (const [{ run: _, ...gap }, seconds] of all) {
          const since = clock.uptime();
          happen(clock, { run: seconds });
          happen(clock, gap);
          happen(clock, { run: 45 });
          expect(clock.presence.ageOf(since, limit)).toBeLessThan(gap.sleep ? limit : 91);
        }
      }),
      runs(500),
    );
  });

  it('what is dead is silent after three times the limit of running time, or a hundred gaps', () => {
    const gaps = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 59 }), fc.integer({ min: 4, max: 7200 })),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(gaps, (pattern) => {
        const clock = fakeClock();
        const since = clock.uptime();
        let [ran, count] = [0, 0];
        while (ran < 3 * limit && count < 100) {
          const [run = 1, sleep = 4] = pattern[count % pattern.length] ?? [];
          happen(clock, { run });
          ran += run;
          if (ran < 3 * limit) happen(clock, { sleep });
          count += 1;
        }

        expect(clock.presence.ageOf(since, limit)).toBeGreaterThanOrEqual(limit);
      }),
      runs(500),
    );
  });
});
