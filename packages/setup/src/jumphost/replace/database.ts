/**
 * Verifies a copy of the k3s database: SQLite finds it intact, and the token decrypts the entry that k3s encrypts with it,
 * which contains the cluster's CA and keys.
 * Source: k3s, pkg/cluster/encrypt.go and storage.go: key `/bootstrap/` with 12 digits of the SHA-256 of the password in the
 * token, value `SALT:base64(nonce, ciphertext, tag)` of AES-256-GCM, with PBKDF2 (SHA-1, 4096 rounds). kine's table is `kine`.
 */
import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { count, nodeCommand, script, sha256 } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { type Check, checkByScript, type Host, type Step } from '@skolo/setup/engine';
import { z } from 'zod';
import { database, token as tokenPart } from './parts.ts';
import { staged } from './staging.ts';

interface DatabaseNeeds {
  /** From the store. */
  token: Secret | undefined;
  /** Whether the copy may bring its own token, and a database that nobody who knows the token has written. */
  isTrusted: boolean;
}

/** Check only. */
export function databaseStep(needs: DatabaseNeeds): Step {
  return {
    name: 'database',
    about: 'the k3s database is intact, and its token decrypts it',
    check: (host) => check(host, needs),
  };
}

/** For a database that cannot be decrypted. Its CA, keys and node password belong to it. */
export function newClusterStep(): Step {
  const old = ['var/lib/rancher', 'etc/rancher/node'].map((path) => `${staged}/${path}`);
  return {
    name: 'new-cluster',
    about: 'no data from the previous cluster remains, so machines must join again',
    check: checkByScript(
      `for each in ${old.join(' ')}; do [ ! -e "$each" ] || echo "the copy contains $each"; done`,
    ),
    async apply(host) {
      await host.need(`rm -rf ${old.join(' ')}`);
    },
  };
}

const Looked = z.object({
  whole: z.string(),
  keys: z.int(),
  bootstrap: z.array(z.object({ name: z.string(), value: z.base64() })),
});

async function check(host: Host, { token, isTrusted }: DatabaseNeeds): Promise<Check> {
  // After the copy has been moved into place, at its final path.
  const root = (await host.run(`[ -e ${staged}/${database} ]`)).code === 0 ? `${staged}/` : '/';
  const file = `${root}${database}/state.db`;
  if ((await host.run(`[ -e ${file} ]`)).code !== 0) {
    return {
      differs: [
        'the copy does not contain a k3s database; use another copy or the old disk, or create a new cluster with --new-cluster and rejoin all machines',
      ],
    };
  }
  const found = Looked.parse(JSON.parse(await host.need(lookScript(file))));
  if (found.whole !== 'ok') {
    return {
      differs: [
        `the k3s database is damaged: ${found.whole}; use an older archive (--version latest~1), or create a new cluster with --new-cluster`,
      ],
    };
  }
  const own = isTrusted ? await host.read(`${root}${tokenPart}`) : undefined;
  const text = own ?? token?.reveal();
  if (text === undefined) {
    return {
      differs: [
        'the copy does not contain the k3s token, which is required to decrypt the database; if you have the token elsewhere, save it with skolo secrets set RACK k3s-token',
      ],
    };
  }
  return opened(found, text, isTrusted);
}

function opened(
  { keys, bootstrap }: z.output<typeof Looked>,
  token: string,
  isTrusted: boolean,
): Check {
  const objects = count(keys, 'key');
  if (bootstrap.length === 0 && isTrusted) {
    return {
      differs: [],
      note: `${objects}; the database does not contain a CA, so the copy's CA is used`,
    };
  }
  const password = passwordOf(token);
  const digest = sha256(password).slice(0, 12);
  const row = bootstrap.find(({ name }) => name === `/bootstrap/${digest}`);
  if (row === undefined) {
    return {
      differs: ['the k3s database was not encrypted with this k3s token'],
    };
  }
  try {
    decrypted(Buffer.from(row.value, 'base64').toString('latin1'), password);
  } catch {
    return {
      differs: [
        'the k3s database is damaged: it was encrypted with this token, but cannot be decrypted',
      ],
    };
  }
  return { differs: [], note: `${objects}; the token decrypts the database` };
}

/** `K10<digest of the CA>::server:PASSWORD`, or only the password. */
function passwordOf(token: string): string {
  return /^K10[0-9a-f]{64}::(?:[^:]*:)?(.*)$/.exec(token.trim())?.[1] ?? token.trim();
}

function decrypted(value: string, password: string): Buffer {
  const colon = value.indexOf(':');
  const key = pbkdf2Sync(password, value.slice(0, colon), 4096, 32, 'sha1');
  const bytes = Buffer.from(value.slice(colon + 1), 'base64');
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
  cipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]);
}

/** Node is installed on the spare; SQLite's program may not be. */
function lookScript(file: string): string {
  return nodeCommand(script(new URL('./look-at-database.mjs', import.meta.url)), [file]);
}
