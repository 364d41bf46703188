/** Decides which copy an operator means, if some must not be used. */
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Version } from '../source.ts';
import { backFrom, isId, resolveVersion } from '../versions.ts';

interface PickOptions<T> {
  /** As accepted by `resolveVersion`. */
  wanted: string;
  /** @throws BackupError The version must not be used. */
  read(version: Version): Promise<T>;
  /** Codes of errors after which an older version is tried, unless the operator has named the version. Default: none. */
  passes?: readonly BackupError['code'][] | undefined;
  /** Called with the reason why a newer version was not used. */
  onPass(error: BackupError): void;
}

/**
 * The version that an operator means, as `resolveVersion`, but `latest`, `latest~N` and times only count versions that can be used.
 *
 * @param versions of one device, newest first
 * @throws BackupError `not-found`, and of `read`: of the newest version if none can be used
 */
export async function pickVersion<T>(
  versions: readonly Version[],
  { wanted, read, passes = [], onPass }: PickOptions<T>,
): Promise<{ version: Version; content: T }> {
  const resolved = resolveVersion(versions, wanted);
  if (passes.length === 0 || isId(wanted)) {
    return { version: resolved, content: await read(resolved) };
  }
  const back = backFrom(wanted);
  let newer = back ?? 0;
  let first: BackupError | undefined;
  // At a time, those that were stored before it.
  const candidates = back === undefined ? versions.slice(versions.indexOf(resolved)) : versions;
  for (const version of candidates) {
    try {
      const content = await read(version);
      if (newer === 0) return { version, content };
      newer -= 1;
    } catch (error) {
      if (error instanceof BackupError && passes.includes(error.code)) {
        onPass(error);
        first ??= error;
        continue;
      }
      // It counts, although nobody could read it.
      if (newer === 0) throw error;
      newer -= 1;
    }
  }
  throw first ?? new BackupError('not-found', `${wanted} does not exist`);
}
