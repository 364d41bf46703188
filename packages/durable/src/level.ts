import { ClassicLevel } from 'classic-level';
import { systemCode } from './system-error.ts';

export type Level = ClassicLevel<string, Buffer>;

export async function openLevel(folder: string): Promise<Level> {
  // Compressed blocks would turn one flipped bit into the loss of many records.
  const level: Level = new ClassicLevel(folder, { compression: false, valueEncoding: 'buffer' });
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
