/**
 * A service as the archive of the jumphost meets it: `node write-journal.mjs FOLDER` goes on writing to the journal there,
 * always two records that belong together, and prints each number once it is on the disk.
 */
import { writeSync } from 'node:fs';
import { Journal } from '@skolo/base/durable';

const journal = await Journal.open(process.argv[2] ?? '');
let number = Number(journal.get('number') ?? 0);
for (;;) {
  number += 1;
  const again = { number, filling: 'f'.repeat((number * 7919) % 30_000) };
  await journal.write({ put: { number, again } });
  writeSync(1, `${number}\n`);
}
