/** `FILE`: prints whether k3s's database is whole, how many objects it has, and the values with which it begins. */
import { DatabaseSync } from 'node:sqlite';

const newest =
  'SELECT name, value FROM kine WHERE id IN (SELECT max(id) FROM kine GROUP BY name) AND deleted = 0';

function look() {
  const db = new DatabaseSync(process.argv[1] ?? '', { readOnly: true });
  const [first] = db.prepare('PRAGMA quick_check').all();
  const keys = db.prepare(`SELECT count(*) AS n FROM (${newest})`).get()?.n;
  const rows = db.prepare(`${newest} AND name LIKE '/bootstrap/%'`).all();
  const bootstrap = rows.map(({ name, value }) => ({
    name,
    value: Buffer.from(value instanceof Uint8Array ? value : `${value}`).toString('base64'),
  }));
  return { whole: Object.values(first ?? {})[0], keys, bootstrap };
}

let found;
try {
  found = look();
} catch (error) {
  found = { whole: error instanceof Error ? error.message : error, keys: 0, bootstrap: [] };
}
console.log(JSON.stringify(found));
