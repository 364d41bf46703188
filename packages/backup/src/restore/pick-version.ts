/** Decides which copy an operator means, if some must not be used. */
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Version } from '../source.ts';
import { isId, resolveVersion } from '../versions.ts';

/** Codes of errors of one copy that whoever can write to its place can cause, so that it must not hide older ones. */
export const unusable = ['damaged', 'not-found', 'rejected', 'unauthenticated'] as const;

interface PickOptions<T> {
  /** As accepted by `resolveVersion`. */
  wanted: string;
  /** @throws BackupError The version must not be used. */
  read(version: Version): Promise<T>;
  /** Codes of errors after which the next older version is tried, unless the operator has named the version. */
  passes: readonly BackupError['code'][];
  /** Called with the reason why a newer version was not used. */
  onPass(error: BackupError): void;
}

/**
 * The version that an operator means, as `resolveVersion`, or the next older one that can be used.
 *
 * @param versions of one device, newest first
 * @throws BackupError `not-found`, and of `read`: of the newest version if none can be used
 */
export async function pickVersion<T>(
  versions: readonly Version[],
  { wanted, read, passes, onPass }: PickOptions<T>,
): Promise<{ version: Version; content: T }> {
  const resolved = resolveVersion(versions, wanted);
  if (isId(wanted)) return { version: resolved, content: await read(resolved) };
  let newest: BackupError | undefined;
  for (const version of versions.slice(versions.indexOf(resolved))) {
    try {
      return { version, content: await read(version) };
    } catch (error) {
      if (!(error instanceof BackupError && passes.includes(error.code))) throw error;
      onPass(error);
      newest ??= error;
    }
  }
  throw newest;
}
