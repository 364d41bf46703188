import { join } from 'node:path';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from './database.ts';
import { HistoryJobs } from './jobs.ts';
import type { Silence } from './silence.ts';

const minute = 60_000;
const start = Date.parse('2026-11-20T10:00:00Z');

async function openJobs() {
  const jobs = new HistoryJobs(openDatabase(join(await tempDir(), 'history.sqlite')));
  onTestFinished(() => jobs.close());
  return {
    write: (silences: Silence[]) =>
      jobs.write({
        ...{ entries: [], standings: new Map(), curves: [] },
        silences: new Map(silences.map((silence) => [silence.id, silence])),
      }),
    read: () => jobs.silences({ endedFrom: 0 }),
    recall: (now: number) => jobs.recall(now).silences,
  };
}

const cause = equipmentCause(['pdu-1', 'switch-1']);

/** As large as those of a Pi with a phone behind a switch and a PDU. */
function silence(machine: string, at: number, more: Partial<Silence> = {}): Silence {
  const id = `${new Date(at).toISOString().slice(0, 19)}-${machine}`;
  return {
    ...{ id, incident: id, machine, at, endedAt: at + minute, lost: ['5f8c2d0a1b3e4f10'] },
    causes: [{ at, cause, why: words('48 of 48 machines behind it are silent') }],
    traits: ['equipment switch-1', 'equipment pdu-1', 'shelf shelf1', 'model Pixel 7'],
    ...more,
  };
}

it('keeps 60 outages of 300 machines, whatever two machines do for a month', async () => {
  const jobs = await openJobs();
  for (let outage = 0; outage < 60; outage += 1) {
    const machines = Array.from({ length: 300 }, (_, at) => `rpi-${at}`);
    jobs.write(machines.map((name) => silence(name, start + outage * 10 * minute)));
  }
  for (let at = 1000; at < 7000; at += 1) {
    jobs.write(['pi-1', 'pi-2'].map((name) => silence(name, start + at * 7 * minute)));
  }

  const { silences, completeFrom } = jobs.read();

  const times = Map.groupBy(silences, ({ machine }) => machine);
  expect(times.get('rpi-299')).toHaveLength(60);
  expect(times.get('rpi-0')?.at(-1)?.at).toBe(start);
  expect(times.get('pi-1')?.[0]?.at).toBe(start + 6999 * 7 * minute);
  expect(times.get('pi-2')?.length).toBeLessThan(100);
  // Only theirs are left out.
  expect(completeFrom).toBe(times.get('pi-2')?.at(-1)?.at);
});

it('keeps less of a machine the longer its texts are, but its last silence, and those that continue', async () => {
  const jobs = await openJobs();
  const lost = Array.from({ length: 20 }, (_, at) => `${at}-`.padEnd(500, 'x'));
  const open = { endedAt: undefined };
  jobs.write([silence('pi-1', start, { lost, ...open }), silence('pi-2', start)]);
  for (let at = 1; at < 100; at += 1) jobs.write([silence('pi-1', start + at * minute, { lost })]);
  jobs.write([silence('pi-1', start + 100 * minute, { lost: [...lost, 'y'.repeat(100_000)] })]);

  const { silences, completeFrom } = jobs.read();

  expect(completeFrom).toBe(start + 100 * minute + 1);
  expect(silences.map(({ machine, at }) => [machine, (at - start) / minute])).toEqual([
    ['pi-1', 100],
    ['pi-1', 0],
    ['pi-2', 0],
  ]);
});

it('leaves out the oldest that ended if there are too many, and none that continues', async () => {
  const jobs = await openJobs();
  const open = silence('open', start - 1000 * minute, { endedAt: undefined });
  const left = silence('left', start - 999 * minute, { ending: 'left', endedAt: start });
  const lost = [String().padEnd(45_000, 'x')];
  const ended = Array.from({ length: 200 }, (_, n) =>
    silence(`pi-${n}`, start + n * minute, { lost }),
  );
  jobs.write([open, left, ...ended]);

  const { silences, completeFrom } = jobs.read();

  const names = silences.map(({ machine }) => machine);
  const cut = ended.filter(({ machine }) => !names.includes(machine));
  expect(cut.length).toBeGreaterThan(0);
  expect(ended.slice(0, cut.length)).toEqual(cut);
  expect(names).toContain('open');
  expect(completeFrom).toBe((cut.at(-1)?.endedAt ?? 0) + 1);
  const recalled = jobs.recall(start + 201 * minute).map(({ machine }) => machine);
  expect(recalled).toContain('open');
  expect(recalled).toContain('pi-199');
  // What ended a moment ago is recalled, however long ago it began.
  const recent = silence('pi-0', start, { lost, endedAt: start + 200 * minute });
  jobs.write([recent]);
  expect(jobs.recall(start + 201 * minute).map(({ machine }) => machine)).toContain('pi-0');
});
