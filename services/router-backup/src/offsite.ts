/** What the rest of the service knows of the places outside of the rack. */
import type { BackupDevice, OffsiteStatus } from '@skolo/api';
import type { Version } from '@skolo/backup';

export interface Offsite {
  /** A new version wants to leave the rack. Never throws. */
  add(version: Version): void;
  status(): OffsiteStatus[];
  /** Whether a version has left the rack, to every place that there is. */
  stateOf(version: Version | undefined): BackupDevice['offsite'];
}
