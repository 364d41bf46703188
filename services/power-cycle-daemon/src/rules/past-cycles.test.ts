import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { cycleRecord } from '../testing/records.ts';
import { PastCycles } from './past-cycles.ts';

const noon = Date.parse('2026-11-20T12:00:00Z');

function at(minutes: number): string {
  return new Date(noon + minutes * 60_000).toISOString();
}

function remembered(uptimeMinutes = 1000) {
  const clock = fakeClock('2026-11-20T12:00:00Z', uptimeMinutes * 60);
  return { clock, past: new PastCycles(clock) };
}

describe('past cycles', () => {
  it('begin when the first thing is touched, and end once', () => {
    const { clock, past } = remembered();
    past.note(cycleRecord({ phase: 'contact' }));
    const before = past.list();
    clock.pass(60_000);
    past.note(cycleRecord({ phase: 'turn-off', begun: true }));
    clock.pass(60_000);
    past.note(cycleRecord({ phase: 'finished', begun: true }));
    clock.pass(60_000);
    past.note(cycleRecord({ phase: 'finished', begun: true }));

    expect(before).toEqual([]);
    expect(past.list()).toMatchObject([{ target: 'a', begunAt: 1001 * 60, endedAt: 1002 * 60 }]);
  });

  it('are only those that touched something', () => {
    const { past } = remembered();

    past.note(cycleRecord({ begun: false, phase: 'finished', outcome: 'busy' }));
    past.load([cycleRecord({ action: 'on', begun: true }), cycleRecord({ begun: false })]);

    expect(past.list()).toEqual([]);
  });

  it('move no relay until a soft reboot has failed, also in another process', () => {
    const { clock, past } = remembered();
    const feeds = [{ controller: 'pdu-1', outlet: '4' }];
    const reboot = cycleRecord({ begun: true, softOnly: true, phase: 'going-down', feeds });
    past.note(reboot);
    const rebooting = past.list();
    clock.pass(60_000);
    past.note(cycleRecord({ begun: true, phase: 'turn-off', feeds }));
    const other = remembered().past;
    other.load([{ ...reboot, phase: 'finished' }]);

    expect(rebooting).toMatchObject([{ softOnly: true, outlets: [] }]);
    expect(past.list()).toMatchObject([
      { softOnly: false, outlets: ['pdu-1/4'], begunAt: 1001 * 60 },
    ]);
    expect(other.list()).toMatchObject([{ softOnly: true, outlets: [] }]);
  });

  it('count by a clock that is never set', () => {
    const { clock, past } = remembered();
    past.note(cycleRecord({ begun: true, phase: 'turn-off' }));
    clock.setWall('1970-01-01T00:00:00Z');
    clock.pass(120_000);
    past.note(cycleRecord({ begun: true, phase: 'finished' }));

    expect(past.list()).toMatchObject([{ target: 'a', begunAt: 1000 * 60, endedAt: 1002 * 60 }]);
  });

  it('of another process are as long ago as by the wall clock', () => {
    const { past } = remembered(2);

    past.load([
      cycleRecord({ begun: true, startedAt: at(-30), finishedAt: at(-10), phase: 'finished' }),
    ]);

    expect(past.list()).toMatchObject([{ target: 'a', begunAt: -28 * 60, endedAt: -8 * 60 }]);
  });

  it('that another process left go on', () => {
    const { clock, past } = remembered();
    past.load([cycleRecord({ begun: true, startedAt: at(-5), phase: 'see-back' })]);
    clock.pass(60_000);
    past.note(cycleRecord({ begun: true, startedAt: at(-5), phase: 'finished' }));

    expect(past.list()).toMatchObject([{ target: 'a', begunAt: 995 * 60, endedAt: 1001 * 60 }]);
  });

  it('are forgotten after a day', () => {
    const { clock, past } = remembered();
    past.note(cycleRecord({ begun: true, phase: 'finished' }));
    clock.pass(1439 * 60_000);
    const kept = past.list().length;
    clock.pass(120_000);

    expect([kept, past.list().length]).toEqual([1, 0]);
  });
});
