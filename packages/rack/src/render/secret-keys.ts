/** What the files of secrets are called as keys of a Secret. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';

/** Where rack.yaml and all that it names are in a container. */
const mountPath = '/etc/skolo';

/**
 * The path of a secret below the folder of rack.yaml, in its one spelling. Undefined where it is outside of it, or
 * rack.yaml itself: a pod sees only that folder.
 */
export function mountedPath(file: string): string | undefined {
  const path = posix.relative(mountPath, posix.resolve(mountPath, file));
  return path === '' || path === 'rack.yaml' || path.startsWith('../') || path === '..'
    ? undefined
    : path;
}

/**
 * A key for each path: `secrets/bots.json` is `bots.json`, `tls/key.pem` is `tls.key.pem`. Where two would be the same,
 * or the name is none for a key, the digest of the path makes it one.
 *
 * @param taken keys that are used for something else
 */
export function secretKeys(
  paths: Iterable<string>,
  taken: ReadonlySet<string> = new Set(),
): Map<string, string> {
  const keys = new Map<string, string>();
  const used = new Set(taken);
  for (const path of [...new Set(paths)].sort()) {
    const plain = path.replace(/^secrets\//, '').replaceAll(/[^\w.-]+/g, '.');
    const key = isKey(plain) && !used.has(plain) ? plain : `file-${digest(path)}`;
    used.add(key);
    keys.set(path, key);
  }
  return keys;
}

/** As Kubernetes has it: at most 253 letters, digits, `-`, `_` and `.`, and nothing that is a way out of a folder. */
function isKey(text: string): boolean {
  return /^(?!\.\.)[\w.-]{1,253}$/.test(text) && text !== '.';
}

function digest(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16);
}
