/** Keys of a Secret for files. */
import { posix } from 'node:path';
import { sha256 } from '@skolo/base';

/** Directory of rack.yaml and its files in a container. */
const mountPath = '/etc/skolo';

/**
 * The canonical path of a secret in rack.yaml's directory. Undefined for a path outside it, which pods do not mount, and
 * for rack.yaml.
 */
export function mountedPath(file: string): string | undefined {
  const path = posix.relative(mountPath, posix.resolve(mountPath, file));
  return path === '' || path === 'rack.yaml' || path.startsWith('../') || path === '..'
    ? undefined
    : path;
}

/**
 * A key for each path: `secrets/bots.json` is `bots.json`, `tls/key.pem` is `tls.key.pem`. For a duplicate or invalid
 * key it is a digest of the path.
 *
 * @param taken keys in use
 */
export function secretKeys(
  paths: Iterable<string>,
  taken: ReadonlySet<string> = new Set(),
): Map<string, string> {
  const keys = new Map<string, string>();
  const used = new Set(taken);
  for (const path of [...new Set(paths)].sort()) {
    const plain = path.replace(/^secrets\//, '').replaceAll(/[^\w.-]+/g, '.');
    const key = isKey(plain) && !used.has(plain) ? plain : `file-${sha256(path).slice(0, 16)}`;
    used.add(key);
    keys.set(path, key);
  }
  return keys;
}

/** The rules of Kubernetes: at most 253 letters, digits, `-`, `_` and `.`; not `.` or `..`. */
function isKey(text: string): boolean {
  return /^(?!\.\.)[\w.-]{1,253}$/.test(text) && text !== '.';
}
