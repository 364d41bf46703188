import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Calls `work` with a new directory, and removes it afterwards.
 *
 * @template T
 * @param {(folder: string) => T} work
 */
export function inTempFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
