import { runs } from '@skolo/base/testing';
import { createLogger } from '@skolo/common';
import fc from 'fast-check';
import { getTasks } from 'node-cron';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { jitterOf, Schedule } from './schedule.ts';

const at = (time: string) => Date.parse(time);

/** Looks once a minute, and returns when a run was due. */
function dueTimes(schedule: Schedule, from: string, to: string): string[] {
  const found: string[] = [];
  let { seen } = schedule.dueSince(undefined, at(from));
  for (let now = at(from); now <= at(to); now += 60_000) {
    const look = schedule.dueSince(seen, now);
    seen = look.seen;
    if (look.isDue) found.push(new Date(now).toISOString());
  }
  return found;
}

describe('the schedule', () => {
  it('leaves no task in node-cron that never runs', () => {
    const before = getTasks().size;

    const daily = new Schedule('0 3 * * *', 'UTC');

    expect(dueTimes(daily, '2026-11-20T00:00:00Z', '2026-11-20T12:00:00Z')).toHaveLength(1);
    expect(getTasks().size).toBe(before);
  });

  it('is in the time zone of the rack', () => {
    const daily = new Schedule('15 3 * * *', 'America/New_York');

    expect(dueTimes(daily, '2026-11-20T00:00:00Z', '2026-11-22T00:00:00Z')).toEqual([
      '2026-11-20T08:15:00.000Z',
      '2026-11-21T08:15:00.000Z',
    ]);
  });

  it('makes up for the hour that summer time skips', () => {
    const daily = new Schedule('30 2 * * *', 'Europe/Berlin');

    expect(dueTimes(daily, '2027-03-27T12:00:00Z', '2027-03-29T12:00:00Z')).toEqual([
      '2027-03-28T01:00:00.000Z',
      '2027-03-29T00:30:00.000Z',
    ]);
  });

  it('runs once in the hour that winter time brings twice', () => {
    const daily = new Schedule('30 2 * * *', 'Europe/Berlin');

    expect(dueTimes(daily, '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('makes up once for what passed while the power was off', () => {
    const hourly = new Schedule('0 * * * *', 'UTC');
    const { seen } = hourly.dueSince(undefined, at('2026-11-20T00:30:00Z'));

    const later = hourly.dueSince(seen, at('2026-11-20T09:30:00Z'));
    const again = hourly.dueSince(later.seen, at('2026-11-20T09:31:00Z'));

    expect([later.isDue, again.isDue]).toEqual([true, false]);
  });

  it('is not due where nothing passed', () => {
    const weekly = new Schedule('0 4 * * sun', 'UTC');
    const { seen } = weekly.dueSince(undefined, at('2026-11-16T00:00:00Z'));

    expect(weekly.dueSince(seen, at('2026-11-21T23:59:00Z')).isDue).toBe(false);
    expect(weekly.dueSince(seen, at('2026-11-22T04:00:00Z')).isDue).toBe(true);
  });

  it('runs on after a clock that was years ahead, and once after one that was years behind', () => {
    const daily = new Schedule('15 3 * * *', 'UTC');

    const ahead = daily.dueSince(
      daily.local(at('2031-01-01T00:00:00Z')),
      at('2026-11-20T03:00:00Z'),
    );
    const next = daily.dueSince(ahead.seen, at('2026-11-20T03:15:00Z'));
    const behind = daily.dueSince(
      daily.local(at('1970-01-01T00:00:00Z')),
      at('2026-11-20T12:00:00Z'),
    );

    expect([ahead.isDue, next.isDue, behind.isDue]).toEqual([false, true, true]);
  });

  it('runs on every day of the year, in any zone, at any minute', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.constantFrom(0, 15, 30, 59),
        fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-01'), noInvalidDate: true }),
        (zone, hour, minute, day) => {
          const schedule = new Schedule(`${minute} ${hour} * * *`, zone);
          let { seen } = schedule.dueSince(undefined, day.getTime());
          let count = 0;
          // Looks every ten minutes for four days.
          for (let now = day.getTime(); now <= day.getTime() + 4 * 86_400_000; now += 600_000) {
            const look = schedule.dueSince(seen, now);
            seen = look.seen;
            if (look.isDue) count += 1;
          }
          expect(count).toBeGreaterThanOrEqual(3);
          expect(count).toBeLessThanOrEqual(5);
        },
      ),
      runs(40),
    );
  });
});

/** When node-cron calls, and when runs begin: at its calls, and at checks each minute for moments that it has missed. */
async function callsAndRuns(schedule: Schedule, from: number, to: number) {
  vi.useFakeTimers({ now: from, toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval'] });
  const log = createLogger({ service: 'test', level: 'silent' });
  const called: string[] = [];
  const begun: string[] = [];
  let { seen } = schedule.dueSince(undefined, from);
  const madeUp: string[] = [];
  function look(until: number, runs: string[]) {
    const found = schedule.dueSince(seen, until);
    seen = found.seen;
    if (found.isDue) runs.push(new Date().toISOString());
  }
  const task = schedule.start(async () => {
    called.push(new Date().toISOString());
    look(Date.now(), begun);
  }, log);
  const checking = setInterval(() => look(Date.now() - 90_000, madeUp), 60_000);
  await vi.advanceTimersByTimeAsync(to - from);
  clearInterval(checking);
  await task.destroy();
  vi.useRealTimers();
  return { called, begun, madeUp };
}

describe('node-cron', () => {
  const day = 86_400_000;

  it('begins the runs that a check of each minute would, but for moments that a change of the clock skips', async () => {
    const changes = [
      ['Europe/Berlin', '2027-03-28T01:00:00Z'],
      ['Europe/Berlin', '2026-10-25T01:00:00Z'],
      ['America/New_York', '2027-03-14T07:00:00Z'],
      ['America/New_York', '2026-11-01T06:00:00Z'],
      ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
      ['Australia/Lord_Howe', '2027-04-03T15:00:00Z'],
      ['America/Havana', '2027-03-14T05:00:00Z'],
      ['Pacific/Chatham', '2026-09-26T14:00:00Z'],
      ['Africa/Casablanca', '2027-02-07T02:00:00Z'],
    ] as const;
    const expressions = fc
      .tuple(
        fc.constantFrom('0', '15', '30', '59', '*/20'),
        fc.constantFrom('0', '1', '2', '3', '*'),
      )
      .map(([minute, hour]) => `${minute} ${hour} * * *`);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...changes), expressions, async ([zone, change], text) => {
        const schedule = new Schedule(text, zone);
        const [from, to] = [at(change) - 1.5 * day, at(change) + 1.5 * day];

        const { called, begun, madeUp } = await callsAndRuns(schedule, from, to);

        const due = dueTimes(schedule, new Date(from).toISOString(), new Date(to).toISOString());
        expect(begun.length + madeUp.length).toBe(due.length);
        expect(due).toEqual(expect.arrayContaining(begun));
        const isUsual = (time: string) => Math.abs(at(time) - at(change)) > day;
        expect(called.filter(isUsual)).toEqual(due.filter(isUsual));
        expect(begun.filter(isUsual)).toEqual(due.filter(isUsual));
        expect(madeUp.filter(isUsual)).toEqual([]);
      }),
      runs(20),
    );
  });

  it('calls after more than 24.8 days, and not before', async () => {
    const yearly = new Schedule('0 0 1 1 *', 'Europe/Berlin');

    const { called } = await callsAndRuns(
      yearly,
      at('2026-11-20T12:00:00Z'),
      at('2027-01-02T00:00:00Z'),
    );

    expect(called).toEqual(['2026-12-31T23:00:00.000Z']);
  });

  it('writes nothing beside the log when it misses a moment', async () => {
    vi.useFakeTimers({ now: at('2026-11-20T12:00:30Z') });
    onTestFinished(() => void vi.useRealTimers());
    const written = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
    const said = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const log = createLogger({ service: 'test', level: 'silent' });
    let calls = 0;
    const task = new Schedule('* * * * *', 'UTC').start(async () => void calls++, log);

    vi.setSystemTime(at('2026-11-20T12:10:30Z'));
    await vi.advanceTimersByTimeAsync(60_000);
    await task.destroy();

    expect(calls).toBe(1);
    for (const spy of [...written, ...said]) expect(spy).not.toHaveBeenCalled();
  });
});

it('the spread gives each device its own place, always the same', () => {
  const places = Array.from({ length: 200 }, (_, i) => jitterOf(`switch-${i}`, 600));

  expect(places).toEqual(places.map((_, i) => jitterOf(`switch-${i}`, 600)));
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...places)).toBeLessThan(600_000);
  const thirds = [0, 1, 2].map(
    (third) => places.filter((place) => Math.floor(place / 200_000) === third).length,
  );
  expect(Math.min(...thirds)).toBeGreaterThan(40);
});
