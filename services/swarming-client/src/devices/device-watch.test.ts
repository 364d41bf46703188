import { createEvents, createLogger } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logEvent } from '../event-log.ts';
import type { AgentEvent } from '../events.ts';
import type { DeviceView, Look } from './device.ts';
import { DeviceWatch } from './device-watch.ts';

const entry = { name: 'phone', fullName: 'rpi-1-phone', kind: 'auto' } as const;
const reading = { kind: 'android', dimensions: { os: ['Android'] }, temperatures: {} } as const;
const present: Look = { state: 'present', reading };

function startWatch(readSeconds = 3600) {
  const lines: string[] = [];
  const looks: {
    signal: AbortSignal;
    found: (look: Look) => void;
    fail: (error: Error) => void;
  }[] = [];
  const seen: DeviceView[] = [];
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const log = createLogger({
    service: 'test',
    destination: { write: (line) => void lines.push(line) },
  });
  const events = createEvents<AgentEvent>();
  const device = {
    look: (signal: AbortSignal) =>
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
    const first = watch.look();
    clock.pass(1000);
    looks[0]?.found(present);
    await first;
    clock.pass(30_000);
    const second = watch.look();
    looks[1]?.found(present);

    expect(await second).toEqual({
      name: 'phone',
      fullName: 'rpi-1-phone',
      kind: 'android',
      state: 'present',
      since: new Date('2026-11-20T12:00:01Z'),
      readAt: new Date('2026-11-20T12:00:31Z'),
      reading,
    });
    expect(seen).toHaveLength(2);
    expect(logged().map(({ msg }) => msg)).toEqual(['device present']);
  });

  it('keeps its last reading when it goes missing, and the reason', async () => {
    const { watch, looks, clock, logged } = startWatch();
    const first = watch.look();
    looks[0]?.found(present);
    await first;
    clock.pass(30_000);
    const second = watch.look();
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

  it('is looked at once for all who want to know', async () => {
    const { watch, looks } = startWatch();

    const all = Promise.all([watch.look(), watch.look(), watch.look()]);
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
    const mine = watch.look(gone.signal);
    mine.catch(() => undefined);

    gone.abort(new Error('gone'));

    await expect(mine).rejects.toThrow('gone');
    expect(looks[0]?.signal.aborted).toBe(false);
    looks[0]?.found(present);
    await expect.poll(() => watch.view().state).toBe('present');
  });

  it('whose look fails is missing, and the next one comes', async () => {
    const { watch, looks } = startWatch(0.01);
    watch.start();

    looks[0]?.fail(new TypeError('an error'));

    await expect.poll(() => watch.view()).toMatchObject({ state: 'missing', why: 'an error' });
    await expect.poll(() => looks.length).toBe(2);
  });

  it('is not looked at any more when it is stopped, and what was under way is ended', async () => {
    const { watch, looks, seen } = startWatch(0.01);
    const look = watch.look();
    look.catch(() => undefined);

    watch.stop();

    await expect(look).rejects.toThrow('rpi-1-phone is no longer monitored');
    await expect(watch.look()).rejects.toThrow('no longer monitored');
    expect(looks).toHaveLength(1);
    expect(looks[0]?.signal.aborted).toBe(true);
    expect(seen).toEqual([]);
  });
});
