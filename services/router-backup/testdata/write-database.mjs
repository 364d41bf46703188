/**
 * A cluster database as the archive of the jumphost meets it: `node write-database.mjs FILE MODE` goes on writing to FILE in the
 * journal mode MODE. Two tables always hold the same numbers. Prints each number once it is committed.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

const [file = '', mode] = process.argv.slice(2);
const database = new DatabaseSync(file, { timeout: 60_000 });
database.exec(`pragma journal_mode=${mode}`);
// The log is begun again several times a second.
database.exec('pragma wal_autocheckpoint=20');
database.exec('create table if not exists a (number integer, filling blob)');
database.exec('create table if not exists b (number integer)');
// Copying it takes a moment.
database.exec('create table if not exists c as select zeroblob(2000000) as filling');
let number = Number(database.prepare('select coalesce(max(number), 0) as last from a').get()?.last);
for (;;) {
  number += 1;
  database.exec(`begin;
    insert into a values (${number}, zeroblob(${(number * 7919) % 9000}));
    insert into b values (${number});
    delete from a where number < ${number - 200};
    delete from b where number < ${number - 200};
    commit`);
  writeSync(1, `${number}\n`);
  if (number % 40 === 0) await pause(200);
}
