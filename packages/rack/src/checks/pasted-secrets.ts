/** Finds secrets that were probably typed into rack.yaml instead of their path. */

import { existsSync } from 'node:fs';
import { secretPath } from '@skolo/base/secrets';
import type { Draft } from '../draft/draft.ts';
import type { Path } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { secretReferences } from '../secrets/references.ts';
import { valueAt } from '../yaml/paths.ts';

/**
 * Paths of references such as `password: hunter2`: a word without a slash or an extension such as `.txt`, if no such file exists next to rack.yaml. Excludes
 * `{ file: token }`.
 *
 * @param value content of rack.yaml
 */
export function pastedSecretsOf(rack: Rack, draft: Draft, value: unknown): Path[] {
  return secretReferences(rack).flatMap(({ ref, short, path: expanded }) => {
    if (!short || !('file' in ref) || /\/|\.[a-z]{2,5}$/i.test(ref.file)) return [];
    const path = pathInFile(draft, expanded);
    if (typeof valueAt(value, path) !== 'string') return [];
    return existsSync(secretPath(rack, ref.file)) ? [] : [path];
  });
}

/** The path in the file, with ranges, of a path in the expanded rack. */
export function pathInFile({ rack, where }: Draft, path: Path): Path {
  const [section, name, ...rest] = path;
  if (section !== 'identities' && section !== 'logins' && section !== 'equipment') return path;
  const entry = rack[section].get(String(name));
  const written = entry && where.get(entry);
  return written === undefined ? path : [...written, ...rest];
}
