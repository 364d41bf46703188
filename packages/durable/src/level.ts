import { ClassicLevel } from 'classic-level';
import { systemCode } from './system-error.ts';

export type Level = ClassicLevel<string, Buffer>;

export async function openLevel(folder: string): Promise<Level> {
  const level: Level = new ClassicLevel(folder, {
    valueEncoding: 'buffer',
    // Compressed blocks would turn one flipped bit into the loss of many records.
    compression: false,
    // To open a database, its logs are written once more, as tables: small ones need little room on a full disk.
    writeBufferSize: 1024 * 1024,
    cacheSize: 1024 * 1024,
  });
  await level.open();
  return level;
}

/**
 * Opens the database in a way that always fails, with the lock first: nothing of it is touched.
 *
 * @throws Error Another process has it open.
 */
export async function refuseIfLocked(folder: string): Promise<void> {
  const level = new ClassicLevel(folder, { createIfMissing: false, errorIfExists: true });
  try {
    await level.open();
    await level.close();
  } catch (error) {
    if (causeCode(error) === 'LEVEL_LOCKED') throw error;
  }
}

/** Why a database was not opened. */
export function causeCode(error: unknown): string {
  return systemCode(error instanceof Error ? error.cause : undefined);
}
