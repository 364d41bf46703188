import type { DeviceState } from './router-backup.ts';

const wrong: ReadonlySet<DeviceState> = new Set(['overdue', 'failed', 'never']);

/** The device's current configuration is not backed up, for the console and the command. */
export function isBackupWrong({ state }: { state: DeviceState }): boolean {
  return wrong.has(state);
}

/** The verdict as people read it, on pages and in the command. */
export function backupWord({ state }: { state: DeviceState }): string {
  return state === 'never' ? 'never backed up' : state.replaceAll('-', ' ');
}
