import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../testing/test-seed.ts';
import { Journal } from './journal.ts';
import { Tables } from './tables.ts';

interface Named {
  id: string;
  value: unknown;
}

async function open(folder: string) {
  const journal = await Journal.open(folder);
  const trouble: unknown[] = [];
  const tables = new Tables({
    journal: () => journal,
    onTrouble: (error) => void trouble.push(error),
    onWell: () => undefined,
  });
  const schema = { safeParse: (data: Named) => ({ success: true as const, data }) };
  const table = tables.table<Named>('named', schema, ({ id }) => id);
  expect([tables.load(journal), journal.recovered, trouble]).toEqual([0, undefined, []]);
  return { journal, tables, table };
}

const id = fc.constantFrom('b', '10', '9', 'a/b', '__proto__', 'ü!\n');
const change = fc.oneof(
  fc.record({ id, value: fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.nat())) }),
  id.map((removed) => ({ removed })),
);
const step = fc.oneof(
  fc.record({ how: fc.constant('write'), changes: fc.array(change, { maxLength: 4 }) }),
  fc.record({ how: fc.constant('writeLater'), changes: fc.tuple(change) }),
);

it('have the same records in the same order after a restart', async () => {
  const parent = await tempDir();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 4 }),
      async (lives) => {
        count += 1;
        const folder = join(parent, String(count));
        let before: [string, Named][] = [];
        for (const steps of [...lives, []]) {
          const { journal, tables, table } = await open(folder);
          expect([...table.all]).toEqual(before);
          for (const { how, changes } of steps) {
            await tables[how](
              changes.map((each) =>
                'removed' in each ? table.remove(each.removed) : table.put(each),
              ),
            );
          }
          before = [...table.all];
          await journal.close();
        }
      },
    ),
    runs(100),
  );
});
