/** The key of the words that stand for secrets: kept, so that the same secret is the same word tomorrow. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@skolo/common';
import { writeFileAtomic } from '@skolo/durable';

const length = 32;

/** Without a disk it is another one for each process: masks then only differ from those of before. */
export async function readMaskKey(stateDir: string, log: Pick<Logger, 'warn'>): Promise<Buffer> {
  const file = join(stateDir, 'mask-key');
  const kept = await readFile(file).catch(() => undefined);
  if (kept?.length === length) return kept;
  const key = randomBytes(length);
  await writeFileAtomic(file, key).catch((error: unknown) => {
    log.warn({ why: errorText(error) }, 'mask key is not kept');
  });
  return key;
}
