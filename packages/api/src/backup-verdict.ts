/** Decides which states of a backup are shown as a problem, for the console and the command. */
import type { BackupState } from './router-backup.ts';

const wrong: ReadonlySet<BackupState> = new Set(['overdue', 'failed', 'never']);

/** The current configuration is not backed up, for the console and the command. */
export function isBackupWrong({ state }: { state: BackupState }): boolean {
  return wrong.has(state);
}

/** The verdict as people read it, on pages and in the command. */
export function backupWord({ state }: { state: BackupState }): string {
  return state === 'never' ? 'never backed up' : state.replaceAll('-', ' ');
}
