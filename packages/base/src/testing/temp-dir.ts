import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Registers what closes a part of a test. */
export type AtTheEnd = (cleanUp: () => Promise<void>) => unknown;

/** A directory that is removed when the test ends, or by what `atTheEnd` receives. */
export async function tempDir(atTheEnd: AtTheEnd = onTestFinished): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-'));
  atTheEnd(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}
