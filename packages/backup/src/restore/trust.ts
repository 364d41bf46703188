/** Decides which copies are used: whoever can write to a destination can add some that the rack did not make. */
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import type { Match } from '../offsite/unpack.ts';

export interface Trust {
  /** The rack's backup key; undefined on a computer without its secret store. */
  backupKey?: Secret | undefined;
  /** IDs of versions that are used although they are not authenticated. Absent: all without a backup key, otherwise none. */
  accepted?: ReadonlySet<string> | undefined;
  /** Whether rack.yaml encrypts copies, so that the rack does not make plain ones. */
  encrypts?: boolean | undefined;
  /** The rack's git remote, whose repository is not the rack's own one. */
  remote?: string | undefined;
  /** Name of the jumphost, whose archives are always encrypted. */
  archived?: string | undefined;
  /** Called with each copy that is used although it is not authenticated, and whether its content matches its name. */
  onUnauthenticated?: ((what: string, match: Match) => void) | undefined;
}

interface CopyFacts {
  /** For people: the copy. */
  what: string;
  /** Of the version; its name in a bucket or directory. */
  id: string;
  isArchive: boolean;
  /** Without rack.yaml: whether an unencrypted copy may be in place of an archive. */
  mayBeArchive?: boolean;
  isEncrypted: boolean;
  match: Match;
}

/** @throws BackupError `unauthenticated`: it must not be used. */
export function admitCopy(
  { what, id, isArchive, mayBeArchive, isEncrypted, match }: CopyFacts,
  { backupKey, accepted, encrypts, onUnauthenticated }: Trust,
): void {
  if (isArchive && !isEncrypted) {
    throw rejected(`${what}: the archive is not encrypted, so router-backup did not make it`);
  }
  if (match === 'authenticated') return;
  if (!isEncrypted && encrypts) {
    throw rejected(`${what} is neither encrypted, as rack.yaml requires, nor authenticated`);
  }
  if (!(accepted?.has(id) ?? (backupKey === undefined && !mayBeArchive))) {
    throw rejected(
      `${what} is not authenticated, so anyone may have written it; to use it anyway, specify its complete ID: --version ${id} --unauthenticated`,
    );
  }
  onUnauthenticated?.(what, match);
}

function rejected(message: string): BackupError {
  return new BackupError('unauthenticated', message);
}
