/** The database of the fake k3s: SQLite, as that of k3s is. */
import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const Row = z.object({ name: z.string() });

/**
 * A database of kine with what k3s keeps in it encrypted with the token, made or opened. Undefined: it has another token.
 * Source: k3s, pkg/cluster/encrypt.go and storage.go.
 */
export async function openK3sDatabase(
  data: string,
  tokenFile: string | undefined,
): Promise<DatabaseSync | undefined> {
  await mkdir(`${data}/db`, { recursive: true, mode: 0o700 });
  const known = await readFile(tokenFile ?? `${data}/token`, 'utf8').catch(() => undefined);
  const password = (known ?? randomBytes(16).toString('hex')).trim().replace(/^K10.*:/, '');
  const ca = createHash('sha256').update('CA of a test').digest('hex');
  await writeFile(`${data}/token`, `K10${ca}::server:${password}\n`, { mode: 0o600 });
  const key = `/bootstrap/${createHash('sha256').update(password).digest('hex').slice(0, 12)}`;
  const db = new DatabaseSync(`${data}/db/state.db`);
  db.exec(`PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created INTEGER, deleted INTEGER,
  create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`);
  const [row] = db.prepare("SELECT name FROM kine WHERE name LIKE '/bootstrap/%'").all();
  if (row === undefined) {
    const salt = randomBytes(8).toString('hex');
    const nonce = randomBytes(12);
    const cipher = createCipheriv(
      'aes-256-gcm',
      pbkdf2Sync(password, salt, 4096, 32, 'sha1'),
      nonce,
    );
    const sealed = Buffer.concat([nonce, cipher.update('{"ServerCA":{}}'), cipher.final()]);
    const value = `${salt}:${Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64')}`;
    db.prepare('INSERT INTO kine (name, created, deleted, value) VALUES (?, 1, 0, ?)').run(
      key,
      Buffer.from(value),
    );
  } else if (Row.parse(row).name !== key) {
    return undefined;
  }
  return db;
}
