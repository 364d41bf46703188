/**
 * The process that journal.test.ts kills: `node journal-writer.ts FOLDER` has several workers change the journal for
 * ever, all at the same time, and prints `WORKER VERSION` once that change is reported as written.
 */

import { argv } from 'node:process';
import { Journal, type JournalChange } from '../journal/journal.ts';
import { report } from './fault-injection.ts';

export const workers = [0, 1, 2, 3, 4, 5, 6, 7];
export const keptVersions = 10;

/** Two records of the same version, one more, and one less: if they do not fit together, a change is there by half. */
export function changeOf(worker: number, version: number): JournalChange {
  return {
    put: {
      [`worker/${worker}/version`]: version,
      [`worker/${worker}/again`]: { version, filling: 'f'.repeat((version * 7919) % 20_000) },
      [`worker/${worker}/owed/${version}`]: version,
    },
    delete: [`worker/${worker}/owed/${version - keptVersions}`],
  };
}

const [, script, folder] = argv;
if (script?.endsWith('journal-writer.ts') && folder !== undefined) {
  const journal = await Journal.open(folder);
  await Promise.all(
    workers.map(async (worker) => {
      const written = journal.get(`worker/${worker}/version`);
      for (let version = Number(written ?? 0) + 1; ; version += 1) {
        await journal.write(changeOf(worker, version));
        report(`${worker} ${version}`);
      }
    }),
  );
}
