import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { AgentStatus } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { createLogger, DegradedList } from '@skolo/common';
import { type FakeClock, fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { newHistory } from '../testing/history.ts';
import type { Entry } from './entry.ts';
import { type History, HistoryUnavailable } from './history.ts';

const start = '2026-11-20T10:00:00Z';
const minute = 60_000;
const day = 86_400_000;

it('lists silences once a minute, however many pages ask, and knows those that are written', async () => {
  const lab = await newLab();
  const history = await lab.open();
  const silence = (id: string) => ({
    ...{ id, incident: id, machine: 'rpi-1', at: at(0), causes: [], traits: [], lost: [] },
  });
  const ids = async () => (await history.silences()).silences.map(({ id }) => id);
  history.setSilence(silence('one'));
  await history.flush();
  expect(await ids()).toEqual(['one']);
  history.setSilence({ ...silence('two'), at: at(-1) });
  await history.flush();

  expect(await ids()).toEqual(['one']);
  expect(await history.knownSilences(['two', 'three'])).toEqual(['two']);
  lab.clock.pass(61_000);
  expect(await ids()).toEqual(['one', 'two']);
});

it('is read as it was written, the newest first, also after a restart', async () => {
  const lab = await newLab();
  const history = await lab.open();
  history.add(condition(0, 'ok'));
  history.add(condition(10 * minute, 'quarantined', 'battery-low'));
  history.add({ machine: 'rpi-1', kind: 'task', key: '6a1b', at: at(20 * minute) });
  history.add({
    machine: 'rpi-1',
    kind: 'task',
    key: '6a1b',
    at: at(20 * minute),
    endedAt: at(30 * minute),
    outcome: 'ended',
  });
  history.setStanding('rpi-1', { condition: 'gone', since: at(0), seenAt: at(-1) });
  await history.close();
  const again = await lab.open();

  expect(await again.entries('rpi-1', { from: at(minute), to: at(day) }, 10)).toEqual([
    {
      kind: 'task',
      machine: 'rpi-1',
      id: '6a1b',
      outcome: 'ended',
      at: time(20 * minute),
      endedAt: time(30 * minute),
    },
    {
      kind: 'condition',
      machine: 'rpi-1',
      condition: 'quarantined',
      at: time(10 * minute),
      text: 'a text',
      codes: ['battery-low'],
    },
    // What it was at the beginning of the span.
    {
      kind: 'condition',
      machine: 'rpi-1',
      condition: 'ok',
      codes: [],
      at: time(0),
      text: 'a text',
    },
  ]);
  expect(
    await again.entries('rpi-1', { from: at(minute), to: at(day) }, 10, new Set(['task'])),
  ).toHaveLength(1);
  expect(await again.entries('rpi-1', { from: at(0), to: at(day) }, 2)).toHaveLength(2);
  expect(await again.entries('rpi-2', { from: at(0), to: at(day) }, 2)).toEqual([]);
  expect(lab.standings.get('rpi-1')).toEqual({ condition: 'gone', since: at(0), seenAt: at(-1) });
});

it('ends a task whose end was missed when the next begins, also one without an ID', async () => {
  const history = await (await newLab()).open();
  for (const [i, key] of ['a', undefined, 'b'].entries())
    history.add({ machine: 'rpi-1', kind: 'task', key, at: at(i * minute), besides: [] });

  const entries = await history.entries('rpi-1', { from: at(0), to: at(day) }, 10);
  const ends = entries.map((entry) => [entry.at, 'endedAt' in entry && entry.endedAt]);
  expect(ends).toEqual([
    [time(2 * minute), false],
    [time(minute), time(2 * minute)],
    [time(0), time(minute)],
  ]);
});

it('keeps curves over hours and a restart, percentages and temperatures of one name apart', async () => {
  const lab = await newLab();
  const history = await lab.open();
  const read = (history: History, batteryPercent: number, celsius: number) => {
    const temperaturesCelsius = { battery: celsius };
    lab.read(history, { name: 'phone', batteryPercent, temperaturesCelsius });
    lab.clock.pass(minute);
  };
  for (const percent of [80, 80.2, 79, 78]) read(history, percent, 28);
  await history.close();

  const again = await lab.open();
  read(again, 70, 32);
  lab.clock.pass(60 * minute);
  read(again, 60, 34);
  await again.close();

  const last = await lab.open();
  const curves = await last.curves('rpi-1', { from: at(0), to: at(day) });
  // What hardly differs is no point.
  expect(
    curves.map(({ points, ...curve }) => ({ ...curve, points: points.map(([, value]) => value) })),
  ).toEqual([
    { device: 'phone', quantity: 'battery', unit: 'percent', points: [80, 79, 78, 70, 60] },
    { device: 'phone', quantity: 'battery', unit: 'celsius', points: [28, 32, 34] },
  ]);
});

it('deletes what is too old, a day at a time, and hides the rest of it', async () => {
  const lab = await newLab({ days: 2 });
  const history = await lab.open();
  for (const days of [0, 1, 2, 3]) history.add(condition(days * day, 'ok'));
  await history.flush();

  lab.clock.pass(4.5 * day);
  history.tick();

  // Of the last two days, and what it was when they began.
  expect(await history.entries('rpi-1', { from: 0, to: at(9 * day) }, 10)).toHaveLength(2);
  lab.clock.setWall(at(0));
  // The first day is gone, and a clock that was wrong costs no more.
  expect(await history.entries('rpi-1', { from: 0, to: at(9 * day) }, 10)).toHaveLength(3);
});

it('forgets a device when its last curve is deleted, and no other one', async () => {
  const lab = await newLab({ days: 2 });
  const first = await lab.open();
  const read = async (history: History, name: string) => {
    lab.read(history, { name, batteryPercent: 50 });
    await history.flush();
  };
  await read(first, 'previous');
  await first.close();
  const file = join(lab.dir, 'history.sqlite');
  const history = await lab.open();
  history.add(condition(0, 'ok'));
  await history.flush();

  for (let days = 0; days < 5; days += 1) {
    lab.clock.pass(day);
    await read(history, 'present');
    history.tick();
  }

  const [curve, ...others] = await history.curves('rpi-1', { from: 0, to: at(9 * day) });
  const database = new DatabaseSync(file, { readOnly: true });
  const names = database.prepare('SELECT device FROM names ORDER BY device').all();
  database.close();
  expect(names.map(({ device }) => device)).toEqual(['', 'present']);
  expect(others).toEqual([]);
  expect(curve?.points).toHaveLength(3);
});

it('writes nothing while nothing happens', async () => {
  const lab = await newLab();
  const history = await lab.open();
  history.add(condition(0, 'ok'));
  await history.flush();
  const size = sizeOf(lab.dir);

  for (let i = 0; i < 100; i += 1) history.tick();
  await history.flush();

  expect(sizeOf(lab.dir)).toBe(size);
});

it('leaves a database of a newer version as it is', async () => {
  const lab = await newLab();
  await (await lab.open()).close();
  const file = join(lab.dir, 'history.sqlite');
  const newer = new DatabaseSync(file);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  const bytes = readFileSync(file);

  const history = await lab.open();

  const why = expect.stringMatching(
    /has schema version 99, .*; install the newer version of the service again/,
  );
  expect(lab.degraded.list()).toMatchObject([{ what: 'history', why }]);
  await expect(history.isKnown('rpi-1')).rejects.toThrow(HistoryUnavailable);
  expect(readFileSync(file)).toEqual(bytes);
  expect(readdirSync(lab.dir).some((name) => name.includes('damaged'))).toBe(false);
});

it('sets a damaged database aside, and begins anew', async () => {
  const lab = await newLab();
  const first = await lab.open();
  for (let i = 0; i < 500; i += 1) first.add(condition(i * minute, 'ok'));
  await first.close();
  const file = await open(join(lab.dir, 'history.sqlite'), 'r+');
  await file.write(Buffer.alloc(4096, 0xff), 0, 4096, 8192);
  await file.close();

  const history = await lab.open();

  expect(await history.entries('rpi-1', { from: at(0), to: at(day) }, 10)).toEqual([]);
  expect(lab.degraded.list()).toMatchObject([
    { what: 'history damaged', why: expect.stringContaining('history.sqlite.damaged-20') },
  ]);
  expect(readdirSync(lab.dir).some((name) => name.includes('damaged'))).toBe(true);
});

it('is gathered until the disk is back', async () => {
  const lab = await newLab();
  const gone = join(lab.dir, 'state');
  await writeFile(gone, 'a file in the place of the folder');
  const history = await lab.open({ stateDir: gone, writeEveryMs: 5 });
  history.add(condition(0, 'ok'));

  const reading = history.entries('rpi-1', { from: 0, to: at(day) }, 10);
  await expect(reading).rejects.toThrow(HistoryUnavailable);
  expect(lab.degraded.list()).toMatchObject([{ what: 'history' }]);
  await rm(gone);
  await mkdir(gone);

  await expect.poll(() => history.isOpen).toBe(true);
  expect(await history.entries('rpi-1', { from: 0, to: at(day) }, 10)).toHaveLength(1);
  expect(lab.degraded.list()).toEqual([]);
});

function at(ms: number): number {
  return Date.parse(start) + ms;
}

function time(ms: number): string {
  return new Date(at(ms)).toISOString();
}

function condition(ms: number, key: string, outcome = ''): Entry {
  return { machine: 'rpi-1', kind: 'condition', key, at: at(ms), outcome, data: 'a text' };
}

function sizeOf(dir: string): number {
  return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

async function newLab({ days = 90 } = {}) {
  const dir = await tempDir();
  const clock: FakeClock = fakeClock(start);
  const log = createLogger({ service: 'machine-state', level: 'silent' });
  const degraded = new DegradedList({ clock, log });
  const lab = {
    dir,
    clock,
    degraded,
    read(history: History, device: Omit<AgentStatus['devices'][number], 'state'>): void {
      const devices = [{ ...device, state: 'present' as const }];
      history.readings.note({ name: 'rpi-1', devices }, clock.now());
    },
    standings: new Map() as Awaited<ReturnType<History['open']>>['standings'],
    async open(more: { stateDir?: string; writeEveryMs?: number } = {}): Promise<History> {
      const own = { degraded, days: () => days, readingsEveryMs: 0 };
      const history = newHistory({ stateDir: dir, clock, ...own, ...more });
      lab.standings = (await history.open()).standings;
      return history;
    },
  };
  return lab;
}
