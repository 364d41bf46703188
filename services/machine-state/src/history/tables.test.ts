import { join } from 'node:path';
import { runs } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kinds, openDatabase } from './database.ts';
import type { Entry } from './entry.ts';
import { HistoryJobs } from './jobs.ts';

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
    cause: text,
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
      jobs.write({ entries: all, standings: new Map(), curves: [] });
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
