/**
 * The process that journal.test.ts kills: `node journal.test-writer.ts FOLDER` goes on with the journal's lanes for
 * ever, all at the same time, and prints `LANE VERSION` once that change is reported as written.
 */
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { Journal, type JournalChange } from './journal.ts';

export const lanes = [0, 1, 2, 3, 4, 5, 6, 7];
export const keptVersions = 10;

/** Two records of the same version, one more, and one less: if they do not fit together, a change is there by half. */
export function changeOf(lane: number, version: number): JournalChange {
  return {
    put: {
      [`lane/${lane}/version`]: version,
      [`lane/${lane}/again`]: { version, filling: 'f'.repeat((version * 7919) % 20_000) },
      [`lane/${lane}/owed/${version}`]: version,
    },
    delete: [`lane/${lane}/owed/${version - keptVersions}`],
  };
}

const [, script, folder] = argv;
if (script?.endsWith('journal.test-writer.ts') && folder !== undefined) {
  const journal = await Journal.open(folder);
  await Promise.all(
    lanes.map(async (lane) => {
      const written = journal.get(`lane/${lane}/version`);
      for (let version = Number(written ?? 0) + 1; ; version += 1) {
        await journal.write(changeOf(lane, version));
        writeSync(1, `${lane} ${version}\n`);
      }
    }),
  );
}
