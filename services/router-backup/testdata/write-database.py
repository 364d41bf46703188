"""A cluster database as the archive of the jumphost meets it: writes to FILE for ever, in the journal mode MODE; what two
tables hold is always the same. Prints each number once it is committed."""

import sqlite3
import sys
import time

file, mode = sys.argv[1:3]
database = sqlite3.connect(file, isolation_level=None)
database.execute(f"pragma journal_mode={mode}")
# The log is begun anew several times a second.
database.execute("pragma wal_autocheckpoint=20")
database.execute("create table if not exists a (number integer, filling blob)")
database.execute("create table if not exists b (number integer)")
# To copy it takes a moment.
database.execute("create table if not exists c as select zeroblob(2000000) as filling")
(number,) = database.execute("select coalesce(max(number), 0) from a").fetchone()
while True:
    number += 1
    database.execute("begin")
    database.execute("insert into a values (?, zeroblob(?))", (number, number * 7919 % 9000))
    database.execute("insert into b values (?)", (number,))
    database.execute("delete from a where number < ?", (number - 200,))
    database.execute("delete from b where number < ?", (number - 200,))
    database.execute("commit")
    print(number, flush=True)
    # In bursts: what is copied in one of them is copied again.
    if number % 40 == 0:
        time.sleep(0.2)
