import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadMan, type DeadManOptions, type ReceivedHeartbeat, type Report } from './dead-man.ts';

/** This computer's clock is an hour ahead, and Pub/Sub's is right. */
const began = { wall: Date.parse('2026-11-20T13:00:00Z'), steady: 5_000 };
const right = Date.parse('2026-11-20T12:00:00Z');

function at(seconds: number) {
  return { wall: began.wall + seconds * 1000, steady: began.steady + seconds * 1000 };
}

function watch(options: Partial<DeadManOptions> = {}) {
  return new DeadMan({ locations: ['rack4', 'rack5'], silentAfterMs: 90_000, began, ...options });
}

/** A heartbeat this many seconds after the watch began. */
function beat(
  location: string,
  seconds: number,
  more: Partial<ReceivedHeartbeat> = {},
): ReceivedHeartbeat {
  return { location, healthy: true, published: right + seconds * 1000, ...more };
}

function states({ locations }: Report) {
  return Object.fromEntries(locations.map(({ location, state }) => [location, state]));
}

describe('the dead man', () => {
  it('reports well and unhealthy locations, and waits for the others for a while', () => {
    const man = watch({ locations: ['rack4', 'rack5', 'rack6'] });
    man.received(beat('rack4', 1), at(1));
    man.received(beat('rack5', 2, { healthy: false, why: 'Prometheus is dead' }), at(2));

    const report = man.report(at(3));

    expect(states(report)).toEqual({ rack4: 'well', rack5: 'unhealthy', rack6: 'waiting' });
    expect(report.locations[1]?.heartbeat?.why).toBe('Prometheus is dead');
  });

  it('reports since when a location is silent, also without any heartbeat', () => {
    const man = watch();
    man.received(beat('rack4', 10), at(10));

    expect(states(man.report(at(99.9)))).toEqual({ rack4: 'well', rack5: 'silent' });
    expect(man.report(at(100)).locations).toEqual([
      expect.objectContaining({ state: 'silent', silentSince: right + 10_000 }),
      { location: 'rack5', state: 'silent', since: began.wall, silentSince: began.wall },
    ]);
  });

  it('reports no silence because its own process was paused, but soon afterwards', () => {
    const man = watch();
    for (let second = 1; second <= 10; second += 1) man.beat(at(second));
    man.received(beat('rack4', 10), at(10));
    man.received(beat('rack5', 10), at(10));

    man.beat(at(600));
    expect(states(man.report(at(600)))).toEqual({ rack4: 'waiting', rack5: 'waiting' });
    man.received(beat('rack4', 601), at(601));
    for (let second = 601; second <= 690; second += 1) man.beat(at(second));

    expect(states(man.report(at(690)))).toEqual({ rack4: 'well', rack5: 'silent' });
  });

  it('reports a location as well once its heartbeats are back', () => {
    const man = watch();
    man.report(at(500));

    man.received(beat('rack4', 501), at(501));

    expect(states(man.report(at(502)))).toEqual({ rack4: 'well', rack5: 'silent' });
  });

  it('goes by the newest heartbeat, in whatever order they come', () => {
    const man = watch();
    man.received(beat('rack4', 30, { healthy: false }), at(30));
    man.received(beat('rack4', 15), at(31));

    expect(man.report(at(32)).locations[0]).toMatchObject({
      state: 'unhealthy',
      lastHeard: right + 30_000,
    });
  });

  it('names locations that are not expected', () => {
    const man = watch();
    man.received(beat('rack9', 1), at(1));

    expect(man.report(at(2)).unexpected).toEqual([{ location: 'rack9', lastHeard: right + 1000 }]);
  });

  it('does not count old heartbeats', () => {
    const man = watch({ began: { ...began, wall: right }, mayBeOld: true });
    man.received(beat('rack4', -3600), at(1));

    expect(states(man.report(at(2)))).toEqual({ rack4: 'waiting', rack5: 'waiting' });
    expect(man.report(at(90)).locations[0]).toMatchObject({
      state: 'silent',
      silentSince: right - 3_600_000,
    });
  });

  it('continues from the state of an earlier watch', () => {
    const first = watch();
    first.received(beat('rack5', 100), at(100));
    const kept = first.stateAt(at(120));
    const later = at(500);

    const second = watch({ locations: ['rack4', 'rack5', 'constructor'], kept, began: later });

    expect(second.report(later).locations).toEqual([
      { location: 'rack4', state: 'silent', since: began.wall, silentSince: began.wall },
      { location: 'rack5', state: 'waiting', since: began.wall, lastHeard: right + 100_000 },
      { location: 'constructor', state: 'waiting', since: later.wall },
    ]);
  });

  it('reports no location as silent while it is blind, nor shortly after', () => {
    const man = watch();
    man.received(beat('rack4', 10), at(10));
    man.report(at(95));
    man.blind(at(96));
    const meanwhile = man.report(at(4000));
    man.seeing(at(5000));

    expect(meanwhile).toMatchObject({ blindSince: at(96).wall });
    expect(states(meanwhile)).toEqual({ rack4: 'well', rack5: 'silent' });
    expect(states(man.report(at(5001)))).toEqual({ rack4: 'waiting', rack5: 'silent' });
    expect(states(man.report(at(5090)))).toEqual({ rack4: 'silent', rack5: 'silent' });
  });

  it('concludes without waiting', () => {
    const man = watch();
    man.received(beat('rack4', 10), at(10));
    man.conclude(at(30));

    expect(states(man.report(at(30)))).toEqual({ rack4: 'well', rack5: 'silent' });
  });

  it('reports no location as silent because this computer slept', () => {
    const man = watch();
    for (const location of ['rack4', 'rack5']) man.received(beat(location, 10), at(10));
    // It sleeps for an hour, so its steady clock is then behind.
    man.received(beat('rack4', 3620), at(20));

    expect(states(man.report(at(21)))).toEqual({ rack4: 'well', rack5: 'waiting' });
    man.received(beat('rack5', 3625), at(25));
    expect(states(man.report(at(26)))).toEqual({ rack4: 'well', rack5: 'well' });
  });
});

const silentAfter = 90;
const Happening = fc.record({
  after: fc.integer({ min: 0, max: 60 }),
  what: fc.constantFrom('rack4', 'rack5', 'blind', 'seeing', 'look'),
  latency: fc.integer({ min: 0, max: 5 }),
});

/** Runs them on a dead man, and on the simplest possible model. */
function play(happenings: readonly (typeof Happening extends fc.Arbitrary<infer T> ? T : never)[]) {
  const man = watch();
  const lastHeard = new Map<string, number>();
  let now = 0;
  let isBlind = false;
  let seeingSince = 0;
  const looks = [];
  for (const { after, what, latency } of happenings) {
    now += after;
    if (what === 'blind') {
      man.blind(at(now));
      isBlind = true;
    } else if (what === 'seeing') {
      man.seeing(at(now));
      if (isBlind) seeingSince = now;
      isBlind = false;
    } else if (what !== 'look' && !isBlind) {
      man.received(beat(what, now - latency), at(now));
      lastHeard.set(what, Math.max(now - latency, lastHeard.get(what) ?? 0));
    }
    looks.push({
      now,
      isBlind,
      seeingSince,
      last: new Map(lastHeard),
      report: man.report(at(now)),
    });
  }
  return looks;
}

describe('whatever happens,', () => {
  const histories = fc.array(Happening, { maxLength: 60 });

  it('no location is silent shortly after a heartbeat, or while heartbeats cannot be received', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        let before = new Map<string, string>();
        for (const { now, isBlind, seeingSince, last, report } of play(happenings)) {
          for (const { location, state } of report.locations) {
            const quiet = now - (last.get(location) ?? Number.NEGATIVE_INFINITY);
            if (isBlind || state !== 'silent') continue;
            expect(quiet).toBeGreaterThan(silentAfter - 5 - 1);
            const isNew = before.get(location) !== 'silent';
            if (isNew) expect(now - seeingSince).toBeGreaterThanOrEqual(silentAfter);
          }
          before = new Map(report.locations.map(({ location, state }) => [location, state]));
        }
      }),
      runs(500),
    );
  });

  it('a location without heartbeats for long enough, while they can be received, is silent', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        for (const { now, isBlind, seeingSince, last, report } of play(happenings)) {
          for (const { location, state } of report.locations) {
            const quiet = now - Math.max(seeingSince, last.get(location) ?? 0);
            if (!isBlind && quiet >= silentAfter + 5) expect(state).toBe('silent');
          }
        }
      }),
      runs(500),
    );
  });

  it('no state changes while the watch is blind', () => {
    fc.assert(
      fc.property(histories, (happenings) => {
        let before: Report | undefined;
        for (const { isBlind, report } of play(happenings)) {
          if (isBlind && before?.blindSince) expect(report).toEqual(before);
          before = report;
        }
      }),
      runs(500),
    );
  });

  it('a restarted watch has the state of the one before', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 1e6 }), (happenings, gap) => {
        const man = watch();
        let now = 0;
        for (const { after, what } of happenings) {
          now += after;
          if (what.startsWith('rack')) man.received(beat(what, now), at(now));
        }
        const { locations } = man.report(at(now));
        const next = watch({ kept: man.stateAt(at(now)), began: at(now + gap) });

        for (const [i, location] of next.report(at(now + gap)).locations.entries()) {
          expect(location.state === 'silent').toBe(locations[i]?.state === 'silent');
          expect(location.lastHeard).toBe(locations[i]?.lastHeard);
          expect(location.silentSince).toBe(locations[i]?.silentSince);
        }
      }),
      runs(500),
    );
  });
});
