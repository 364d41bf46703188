import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Condition,
  climb,
  healthy,
  type Ladder,
  type LadderFacts,
  type LadderSettings,
  type RepairStep,
  stepEnded,
} from './ladder.ts';

const settings: LadderSettings = { afterSeconds: 120, pauseSeconds: 60, rounds: 2 };
const steps: RepairStep[] = ['adb-reconnect', 'usb-cycle'];

interface Begun {
  at: number;
  step: RepairStep;
  round: number;
}

/** A ladder, second by second; steps end at once unless `takes` says otherwise. */
class Lab {
  ladder: Ladder = healthy;
  now = 0;
  readonly begun: Begun[] = [];
  later: number[] = [];

  pass(seconds: number, facts: Partial<LadderFacts> = {}): this {
    for (let second = 0; second < seconds; second += 1) {
      const known = {
        now: this.now,
        condition: 'broken' as Condition,
        mayAct: true,
        steps,
        ...facts,
      };
      const { ladder, step } = climb(this.ladder, known, settings);
      this.ladder = ladder;
      if (step !== undefined) {
        this.begun.push({ at: this.now, step, round: ladder.round });
        const later = this.later.shift();
        this.ladder = stepEnded(ladder, this.now, later === undefined ? {} : { later }, settings);
      }
      this.now += 1;
    }
    return this;
  }
}

describe('the ladder', () => {
  it('tries each step, with pauses, round after round, and then gives up', () => {
    const lab = new Lab().pass(1000);

    expect(lab.begun).toEqual([
      { at: 120, step: 'adb-reconnect', round: 1 },
      { at: 180, step: 'usb-cycle', round: 1 },
      { at: 240, step: 'adb-reconnect', round: 2 },
      { at: 300, step: 'usb-cycle', round: 2 },
    ]);
    expect(lab.ladder.givenUp).toBe(
      '2 rounds of repair (adb-reconnect, usb-cycle) did not restore it',
    );
  });

  it('begins the next round with a step of the previous one', () => {
    const lab = new Lab()
      .pass(120, { mayAct: false, steps: [] })
      .pass(1, { steps: ['adb-reconnect'] })
      .pass(59, { mayAct: false, steps: [] })
      .pass(1, { steps: ['adb-reconnect'] });

    expect(lab.begun).toEqual([
      { at: 120, step: 'adb-reconnect', round: 1 },
      { at: 180, step: 'adb-reconnect', round: 2 },
    ]);
  });

  it('waits afterSeconds if a device broke again during a step', () => {
    const isBroken = { mayAct: true, condition: 'broken', steps } as const;
    const { ladder: acting } = climb(
      new Lab().pass(120).ladder,
      { now: 120, ...isBroken },
      settings,
    );
    const { ladder: well } = climb(acting, { now: 130, ...isBroken, condition: 'well' }, settings);
    const { ladder: broken } = climb(well, { now: 140, ...isBroken }, settings);

    const ladder = stepEnded(broken, 145, {}, settings);

    expect(acting.running).toBe('adb-reconnect');
    expect(climb(ladder, { now: 259, ...isBroken }, settings).step).toBeUndefined();
    expect(climb(ladder, { now: 260, ...isBroken }, settings).step).toBe('usb-cycle');
  });

  it('gives the last step its time to help', () => {
    expect(new Lab().pass(360).ladder.givenUp).toBeUndefined();
    expect(new Lab().pass(361).ladder.givenUp).toBeDefined();
  });

  it('does nothing about what comes back by itself', () => {
    const lab = new Lab();

    for (let time = 0; time < 5; time += 1) lab.pass(119).pass(1, { condition: 'well' });

    expect(lab.begun).toEqual([]);
  });

  it('begins again when it was well, also after it was given up', () => {
    const lab = new Lab().pass(1000).pass(1, { condition: 'well' });

    expect(lab.ladder).toEqual(healthy);
    expect(lab.pass(121).begun.at(-1)).toMatchObject({ step: 'adb-reconnect', round: 1 });
  });

  it('goes on where it was after a time in which the state was unknown', () => {
    const lab = new Lab().pass(121).pass(500, { condition: 'unclear' }).pass(1);

    expect(lab.begun.map(({ step }) => step)).toEqual(['adb-reconnect', 'usb-cycle']);
  });

  it('waits while it may not act', () => {
    const lab = new Lab().pass(2000, { mayAct: false });

    expect([lab.begun, lab.ladder.givenUp]).toEqual([[], undefined]);
    expect(lab.pass(1).begun).toHaveLength(1);
  });

  it('tries a postponed step again when it is possible, and the others meanwhile', () => {
    const lab = new Lab();
    lab.later = [300, 1, 1];

    lab.pass(500);

    expect(lab.begun.map(({ at, step, round }) => [at, step, round])).toEqual([
      [120, 'adb-reconnect', 1],
      [180, 'usb-cycle', 1],
      [240, 'usb-cycle', 1],
      [300, 'usb-cycle', 1],
      [420, 'adb-reconnect', 1],
      [480, 'adb-reconnect', 2],
    ]);
  });

  it('never gives up on a device while a step is only postponed', () => {
    const lab = new Lab();
    lab.later = Array.from({ length: 1000 }, () => 60);

    lab.pass(20_000, { steps: ['power-cycle'] });

    expect(lab.ladder).toMatchObject({ round: 1, tried: [] });
    expect(lab.ladder.givenUp).toBeUndefined();
  });

  it('gives up at once where there is nothing to try', () => {
    const lab = new Lab().pass(121, { steps: [] });

    expect(lab.ladder.givenUp).toBe('no repair step is available for this device');
  });

  it('goes on after it was given up, with steps that it had not tried, when there are some', () => {
    const lab = new Lab().pass(121, { steps: [] }).pass(120);

    expect([lab.begun, lab.ladder.givenUp]).toEqual([[], undefined]);
    lab.pass(1000);
    expect(lab.begun).toHaveLength(4);
    expect(lab.ladder.givenUp).toBeDefined();

    lab.pass(1000, { steps: ['usb-cycle'] }).pass(1000);
    expect(lab.begun).toHaveLength(4);
    lab.pass(1000, { steps: [...steps, 'power-cycle'] });
    expect(lab.begun.slice(4)).toMatchObject([{ step: 'power-cycle', round: 2 }]);
  });

  it('says that only a person can help, whatever it had tried', () => {
    const facts = { needsPerson: true };

    const ends = [new Lab().pass(121, { ...facts, steps: [] }), new Lab().pass(1000, facts)];

    expect(ends.map(({ ladder }) => ladder.givenUp)).toEqual(
      ends.map(() => 'only a person can restore it'),
    );
  });
});

const anyStep = fc.constantFrom<RepairStep>(
  'adb-reconnect',
  'adb-restart',
  'device-reboot',
  'usb-cycle',
);
const anyTick = fc.record({
  passed: fc.integer({ min: 0, max: 400 }),
  condition: fc.constantFrom<Condition>('well', 'broken', 'broken', 'broken', 'unclear'),
  mayAct: fc.boolean(),
  steps: fc.uniqueArray(anyStep, { maxLength: 4 }),
  /** Of the step that is under way: whether it ends now, and how. */
  ends: fc.boolean(),
  later: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
});

describe('whatever happens', () => {
  it('begins no step while another runs, it may not act, it is not broken or the pause is not over', () => {
    fc.assert(
      fc.property(fc.array(anyTick, { maxLength: 80 }), (ticks) => {
        let ladder: Ladder = healthy;
        let now = 0;
        let quietUntil = 0;
        let sinceWell = 0;
        let wasBroken = false;
        for (const tick of ticks) {
          now += tick.passed;
          if (tick.ends && ladder.running !== undefined) {
            const end = tick.later === undefined ? {} : { later: tick.later };
            if (tick.later !== undefined) sinceWell -= 1;
            ladder = stepEnded(ladder, now, end, settings);
            if (ladder.brokenAt !== undefined) {
              quietUntil = Math.max(quietUntil, now + settings.pauseSeconds);
            }
          }
          const before = ladder;
          const { ladder: next, step } = climb(ladder, { now, ...tick }, settings);
          if (tick.condition === 'well') {
            sinceWell = 0;
            quietUntil = 0;
            wasBroken = false;
            expect(next.givenUp).toBeUndefined();
          } else if (tick.condition === 'broken' && !wasBroken) {
            wasBroken = true;
            quietUntil = Math.max(quietUntil, now + settings.afterSeconds);
          }
          if (step !== undefined) {
            sinceWell += 1;
            expect(tick.condition).toBe('broken');
            expect(tick.mayAct).toBe(true);
            expect(tick.steps).toContain(step);
            expect(before.running).toBeUndefined();
            if (next.round === before.round) expect(before.tried).not.toContain(step);
            expect(now).toBeGreaterThanOrEqual(quietUntil);
          }
          expect(next.round).toBeLessThanOrEqual(settings.rounds);
          ladder = next;
        }
        // Each of the four steps in each round, but for those that were postponed.
        expect(sinceWell).toBeLessThanOrEqual(settings.rounds * 4);
      }),
      runs(200),
    );
  });

  it('ends: a device that stays broken is given up', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyStep, { maxLength: 4 }), (own) => {
        const lab = new Lab().pass(1500, { steps: own });

        expect(lab.begun).toHaveLength(own.length * settings.rounds);
        expect(lab.ladder.givenUp).toBeDefined();
      }),
      runs(20),
    );
  });
});
