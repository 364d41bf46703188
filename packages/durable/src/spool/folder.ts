import { mkdir } from 'node:fs/promises';
import { systemCode } from '../system-error.ts';

/**
 * Makes a folder, and those above it, where there is none.
 *
 * @throws Error Of the system. On a read-only disk Node says ENOENT when it makes several; one alone says what is wrong.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await mkdir(folder, { mode: 0o700 });
  }
}
