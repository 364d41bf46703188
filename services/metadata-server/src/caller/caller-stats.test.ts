import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CallerStats } from './caller-stats.ts';

/** Few times, so that many callers share one. */
const asked = fc.record({
  n: fc.nat(9),
  at: fc.nat(2),
  kind: fc.constantFrom('machine', 'cidr', 'jumphost', 'default', 'unknown'),
  forToken: fc.boolean(),
});

it('lists the same callers in the same order after a restart', async () => {
  const file = join(await tempDir(), 'callers.json');
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1 }), async (requests) => {
      const before = new CallerStats(file);
      for (const { n, at, kind, forToken } of requests) {
        const record = before.of({ name: `rpi-${n}`, kind, address: `192.168.1.${n}` });
        before.asked(record, at, forToken);
      }
      await before.save();

      const after = new CallerStats(file);
      await after.load();

      expect(after.list()).toEqual(before.list());
    }),
    runs(100),
  );
});

it('knows a caller of a kind that a later version has written', async () => {
  const file = join(await tempDir(), 'callers.json');
  const known = { name: 'switch-1', address: '192.168.1.2', lastAsked: 1, requests: 1 };
  await writeFile(file, JSON.stringify({ clients: [{ ...known, kind: 'equipment' }] }));
  const stats = new CallerStats(file);

  await stats.load();

  expect(stats.list()).toEqual([{ ...known, kind: 'unknown' }]);
});
