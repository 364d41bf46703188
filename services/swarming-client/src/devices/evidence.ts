import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes a file and says whether there is something in it; whatever goes wrong, the other evidence is kept.
 *
 * @throws The reason of the signal.
 */
export async function keepFile(
  folder: string,
  name: string,
  signal: AbortSignal,
  write: (path: string) => Promise<unknown>,
): Promise<string[]> {
  const path = join(folder, name);
  try {
    await write(path);
  } catch {
    // What was too long or too slow is still worth reading.
    signal.throwIfAborted();
  }
  const size = await stat(path).then(
    (file) => file.size,
    () => undefined,
  );
  if (size) return [name];
  if (size === 0) await unlink(path);
  return [];
}
