import { runs } from '@skolo/base/testing';
import { Presence } from '@skolo/common';
import { createEvents, createLogger } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { logEvent } from '../event-log.ts';
import type { AgentEvent } from '../events.ts';
import type { DeviceView, Look } from './device.ts';
import { DeviceWatch } from './device-watch.ts';

const entry = { name: 'phone', fullName: 'rpi-1-phone', kind: 'auto' } as const;
const reading = { kind: 'android', dimensions: { os: ['Android'] }, temperatures: {} } as const;
const present: Look = { state: 'present', reading };

type Figure = number | 'unread' | undefined;

function readingOf({
  serial,
  battery,
  heat,
}: {
  serial: string;
  battery: Figure;
  heat: Figure;
}): Look {
  return {
    state: 'present',
    reading: {
      dimensions: {},
      serial,
      batteryPercent: battery === 'unread' ? undefined : battery,
      temperatures: typeof heat === 'number' ? { skin: heat } : {},
      unread: { battery: battery === 'unread', heat: heat === 'unread' },
    },
  };
}

function startWatch(readSeconds = 3600, clock = fakeClock('2026-11-20T12:00:00Z')) {
  const lines: string[] = [];
  const looks: {
    signal: AbortSignal;
    found: (look: Look) => void;
    fail: (error: Error) => void;
  }[] = [];
  const seen: DeviceView[] = [];
  const log = createLogger({
    service: 'test',
    destination: { write: (line) => void lines.push(line) },
  });
  const events = createEvents<AgentEvent>();
  const device = {
    read: (signal: AbortSignal) =>
      new Promise<Look>((found, fail) => {
        signal.addEventListener('abort', () => fail(signal.reason));
        looks.push({ signal, found, fail });
      }),
    repairs: {},
  };
  const { emit } = events;
  const watch = new DeviceWatch(entry, device, {
    readSeconds: () => readSeconds,
    clock,
    log,
    emit,
  });
  events.consume((event) => {
    logEvent(log, event);
    seen.push(watch.view());
  });
  onTestFinished(() => watch.stop());
  return { watch, looks, seen, clock, logged: () => lines.map((line) => JSON.parse(line)) };
}

describe('a watched device', () => {
  it('is unknown before the first look, not missing', () => {
    const { watch } = startWatch();

    expect(watch.view()).toEqual({
      name: 'phone',
      fullName: 'rpi-1-phone',
      kind: 'auto',
      state: 'unknown',
      since: new Date('2026-11-20T12:00:00Z'),
    });
  });

  it('is what the last look found, since when its state is so', async () => {
    const { watch, looks, clock, logged, seen } = startWatch();
    const first = watch.readNow();
    clock.pass(1000);
    looks[0]?.found(present);
    await first;
    clock.pass(30_000);
    const second = watch.readNow();
    looks[1]?.found(present);

    expect(await second).toEqual({
      name: 'phone',
      fullName: 'rpi-1-phone',
      kind: 'android',
      state: 'present',
      since: new Date('2026-11-20T12:00:01Z'),
      readAt: new Date('2026-11-20T12:00:31Z'),
      readUptime: expect.any(Number),
      heatAt: new Date('2026-11-20T12:00:31Z'),
      reading: { ...reading, processorSensors: [] },
    });
    expect(seen).toHaveLength(2);
    expect(logged().map(({ msg }) => msg)).toEqual(['device present']);
  });

  it('keeps its last reading when it goes missing, and the reason', async () => {
    const { watch, looks, clock, logged } = startWatch();
    const first = watch.readNow();
    looks[0]?.found(present);
    await first;
    clock.pass(30_000);
    const second = watch.readNow();
    looks[1]?.found({ state: 'missing', why: 'offline' });

    expect(await second).toMatchObject({
      kind: 'android',
      state: 'missing',
      why: 'offline',
      since: new Date('2026-11-20T12:00:30Z'),
      reading,
    });
    expect(logged().at(-1)).toMatchObject({ msg: 'device missing', why: 'offline' });
  });

  it('keeps each last figure of the same device with its time, until there is a new one', async () => {
    const figure = fc.constantFrom('unread' as const, undefined, 10, 20, 30);
    const look = fc.record({ serial: fc.constantFrom('A', 'B'), battery: figure, heat: figure });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(look), { maxLength: 8 }), async (all) => {
        const { watch, looks, clock } = startWatch();
        let known: { serial?: string; battery: unknown; heat: unknown } = {
          battery: [],
          heat: [],
        };
        for (const [index, each] of all.entries()) {
          clock.pass(30_000);
          const now = new Date(clock.now());
          const next = watch.readNow();
          looks[index]?.found(each === null ? { state: 'missing', why: 'gone' } : readingOf(each));
          const view = await next;
          if (each !== null) {
            const { serial } = each;
            const last = known.serial === serial ? known : { battery: [], heat: [] };
            const after = (value: typeof each.heat, before: unknown) =>
              value === 'unread' ? before : value === undefined ? [] : [value, now];
            const [battery, heat] = [
              after(each.battery, last.battery),
              after(each.heat, last.heat),
            ];
            known = { serial, battery, heat };
          }
          const { batteryPercent, temperatures = {} } = view.reading ?? {};
          const shown = (value: number | undefined, at: Date | undefined) =>
            value === undefined ? [] : [value, at];
          expect(shown(batteryPercent, view.batteryAt)).toEqual(known.battery);
          expect(shown(temperatures.skin, view.heatAt)).toEqual(known.heat);
        }
      }),
      runs(100),
    );
  });

  it('is looked at again if a pause of this process interrupted the first look', async () => {
    const { watch, looks, clock } = startWatch();
    const looking = watch.readNow();
    clock.sleep(60_000);
    looks[0]?.found({ state: 'missing', why: 'adb took longer than 5 s' });
    await expect.poll(() => looks.length).toBe(2);
    looks[1]?.found(present);

    expect((await looking).state).toBe('present');
  });

  it.each([4, 17, 30])(
    'is looked at once by a process that runs, if that takes %i s',
    async (seconds) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const uptime = () => performance.now() / 1000;
      const clock = { ...fakeClock(), uptime, presence: new Presence(uptime) };
      const { watch, looks } = startWatch(3600, clock);
      const looking = watch.readNow();
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      looks[0]?.found({ state: 'missing', why: 'adb took longer than 5 s' });
      await vi.advanceTimersByTimeAsync(0);

      expect(looks).toHaveLength(1);
      expect((await looking).state).toBe('missing');
    },
  );

  it('is not known to be up any more while it is missing', async () => {
    const { watch, looks } = startWatch();
    const first = watch.readNow();
    const figures = { uptimeSeconds: 60, connectedSeconds: 50, charging: true };
    looks[0]?.found({ state: 'present', reading: { ...reading, ...figures } });
    await first;
    const second = watch.readNow();
    looks[1]?.found({ state: 'missing', why: 'offline' });

    expect((await second).reading).toEqual({ ...reading, processorSensors: [] });
  });

  it('is not ready from the same time on after it could not be checked, but boots again once it was missing', async () => {
    const { watch, looks, clock } = startWatch();
    const unready: Look = { state: 'present', reading: { ...reading, isReady: false } };
    const unknown: Look = { state: 'unknown', code: 'not-listed', why: 'adb' };
    const since = clock.uptime();
    async function next(look: Look) {
      const read = watch.readNow();
      looks.at(-1)?.found(look);
      clock.pass(60_000);
      return (await read).notReadyUptime;
    }

    const first = await next(unready);
    await next(unknown);
    expect(await next(unready)).toBe(first);
    await next({ state: 'missing', why: 'gone' });
    expect(await next(unready)).toBeGreaterThan(since + 180);
  });

  it('is looked at once for all who want to know', async () => {
    const { watch, looks } = startWatch();

    const all = Promise.all([watch.readNow(), watch.readNow(), watch.readNow()]);
    looks[0]?.found(present);

    expect(new Set(await all).size).toBe(1);
    expect(looks).toHaveLength(1);
  });

  it('is looked at again and again', async () => {
    const { watch, looks } = startWatch(0.01);
    watch.start();

    for (const count of [1, 2, 3]) {
      await expect.poll(() => looks.length).toBe(count);
      looks[count - 1]?.found(present);
    }
  });

  it('is looked at on, though one who waits has gone', async () => {
    const { watch, looks } = startWatch();
    const gone = new AbortController();
    const mine = watch.readNow(gone.signal);
    mine.catch(() => undefined);

    gone.abort(new Error('gone'));

    await expect(mine).rejects.toThrow('gone');
    expect(looks[0]?.signal.aborted).toBe(false);
    looks[0]?.found(present);
    await expect.poll(() => watch.view().state).toBe('present');
  });

  it('whose look fails is unknown, not missing, and the next one comes', async () => {
    const { watch, looks } = startWatch(0.01);
    watch.start();

    looks[0]?.fail(new TypeError('an error'));

    await expect.poll(() => watch.view()).toMatchObject({ state: 'unknown', why: 'an error' });
    await expect.poll(() => looks.length).toBe(2);
  });

  it('is not looked at any more when it is stopped, and what was under way is ended', async () => {
    const { watch, looks, seen } = startWatch(0.01);
    const look = watch.readNow();
    look.catch(() => undefined);

    watch.stop();

    await expect(look).rejects.toThrow('rpi-1-phone is no longer monitored');
    await expect(watch.readNow()).rejects.toThrow('no longer monitored');
    expect(looks).toHaveLength(1);
    expect(looks[0]?.signal.aborted).toBe(true);
    expect(seen).toEqual([]);
  });
});
