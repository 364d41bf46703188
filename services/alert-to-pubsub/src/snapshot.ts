/**
 * The alerts that are known, as a file: with what the spool holds since, the state before a restart. Written now and
 * then, so that the spool need not be kept, nor read again, from its beginning.
 */
import { rename } from 'node:fs/promises';
import { errorText, type Logger } from '@skolo/common';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { z } from 'zod';
import { KnownAlert } from './state.ts';

const Snapshot = z.object({
  /** The sequence number of the first message that it does not know of. */
  next: z.int().min(1),
  alerts: z.array(KnownAlert),
});
export type Snapshot = z.output<typeof Snapshot>;

/** Undefined where there is none. One that cannot be read is set aside: the spool alone tells then what is known. */
export async function readSnapshot(
  file: string,
  log: Logger,
): Promise<Snapshot | 'broken' | undefined> {
  const text = await readFileIfExists(file);
  if (text === undefined) return undefined;
  try {
    return Snapshot.parse(JSON.parse(text));
  } catch (error) {
    const kept = `${file}.bad`;
    log.error({ file, kept, why: errorText(error) }, 'snapshot cannot be read');
    await rename(file, kept).catch(() => undefined);
    return 'broken';
  }
}

/** @throws FileNotWritten */
export async function writeSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(snapshot)}\n`);
}
