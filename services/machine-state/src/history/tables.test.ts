import { join } from 'node:path';
import { equipmentCause } from '@skolo/api/cause';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kinds, openDatabase } from './database.ts';
import type { Entry } from './entry.ts';
import { HistoryJobs } from './jobs.ts';
import { packPoints } from './points.ts';

const text = fc.string({ unit: 'grapheme' });
const at = fc.nat(4_000_000_000_000);
const other = fc.record(
  {
    kind: fc.constantFrom(...kinds.slice(1)),
    at,
    device: text,
    key: text,
    endedAt: at,
    outcome: text,
    data: text,
  },
  { requiredKeys: ['kind', 'at'] },
);
const condition = fc.record(
  {
    kind: fc.constant('condition'),
    at,
    key: text,
    outcome: text,
    data: text,
    cause: fc.array(text, { minLength: 1 }).map(equipmentCause),
    seenAt: at,
  },
  { requiredKeys: ['kind', 'at'] },
);
const entries = fc
  .array(fc.oneof(other, condition))
  .map((all) => all.map((each, i): Entry => ({ machine: i === 0 ? '' : `rpi-${i}`, ...each })));

it('each entry is read as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(entries, async (all) => {
      const file = join(await tempDir(), 'history.sqlite');
      const jobs = new HistoryJobs(openDatabase(file));
      jobs.write({ entries: all, standings: new Map(), curves: [], silences: new Map() });
      jobs.close();

      const again = new HistoryJobs(openDatabase(file));
      // It looks into each day of a span.
      const found = all.flatMap(({ machine, at }) =>
        again.entries(machine, { from: at, to: at + 1 }, 10, () => true),
      );
      again.close();

      expect(found).toEqual(all);
    }),
    runs(25),
  );
});

// Looking into each hour up to the year 9999 takes minutes.
it('costs no more where other years are asked for', async () => {
  const jobs = new HistoryJobs(openDatabase(join(await tempDir(), 'history.sqlite')));
  const at = Date.parse('2026-11-28T10:00:00Z');
  const hour = Math.floor(at / 3_600_000);
  const entry: Entry = { machine: 'rpi-1', kind: 'condition', at, key: 'ok' };
  const points = packPoints(hour, [
    { quantity: 'battery', unit: 'percent', points: [[at / 1000, 50]] },
  ]);
  const curve = { machine: 'rpi-1', device: 'phone', hour, points };
  jobs.write({ entries: [entry], standings: new Map(), curves: [curve], silences: new Map() });
  const span = { from: Date.parse('0001-01-01T00:00:00Z'), to: Date.parse('9999-12-31T00:00:00Z') };
  const wanted = { machine: 'rpi-1', span, wanted: undefined, oldest: span.from };

  expect(jobs.timeline({ ...wanted, most: 10 })).toEqual([entry]);
  expect(jobs.conditionBefore('rpi-1', span.to, -1e6)).toEqual(entry);
  expect(jobs.happenings({ ...span, most: 10, oldest: span.from, changed: [] }).entries).toEqual([
    entry,
  ]);
  expect(jobs.curves('rpi-1', span)).toHaveLength(1);
  jobs.close();
});
