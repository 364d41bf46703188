/** APC rack PDU of the first generation: `config.ini` of its network management card. */
import type { BackupModel } from '../backup.ts';
import { apcCard } from '../families/apc-card.ts';

export function backup(): BackupModel {
  return apcCard('apc-rpdu');
}
