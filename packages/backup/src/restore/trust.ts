/** Decides which copies are used: whoever can write to a destination can add some that the rack did not make. */
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';

export interface Trust {
  /** The rack's backup key; undefined on a computer without its secret store. */
  backupKey?: Secret | undefined;
  /** Whether copies that are not authenticated are used; by default, only without a backup key. */
  acceptsUnauthenticated?: boolean | undefined;
  /** Whether rack.yaml encrypts copies, so that the rack does not make plain ones. */
  encrypts?: boolean | undefined;
  /** Name of the jumphost, whose archives are always encrypted. */
  archived?: string | undefined;
  /** Called with each copy that is used although it is not authenticated. */
  onUnauthenticated?: ((what: string) => void) | undefined;
}

/**
 * Rejects a plain copy that no digest could make usable, before it is read.
 *
 * @param what for people: the copy @throws BackupError `unauthenticated`
 */
export function admitName(what: string, device: string, { archived, ...trust }: Trust): void {
  if (device === archived)
    throw rejected(`${what}: the archive is not encrypted, so router-backup did not make it`);
  const { encrypts, backupKey } = trust;
  if (encrypts && backupKey === undefined) admitCopy(what, plain, { encrypts });
}

const plain = { isEncrypted: false, isAuthenticated: false };

/** @param what for people: the copy @throws BackupError `unauthenticated`: it must not be used. */
export function admitCopy(
  what: string,
  { isEncrypted, isAuthenticated }: typeof plain,
  trust: Trust,
): void {
  const { backupKey, acceptsUnauthenticated = backupKey === undefined } = trust;
  if (isAuthenticated) return;
  if (!isEncrypted && trust.encrypts) {
    throw rejected(`${what} is neither encrypted, as rack.yaml requires, nor authenticated`);
  }
  if (!acceptsUnauthenticated) {
    throw rejected(
      `${what} is not authenticated: it is damaged, or was not made with the rack's backup-key, so anyone may have written it; to use it anyway, specify its ID and add --unauthenticated`,
    );
  }
  trust.onUnauthenticated?.(what);
}

function rejected(message: string): BackupError {
  return new BackupError('unauthenticated', message);
}
