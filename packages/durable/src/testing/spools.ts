import { readdir } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { Spool, type SpoolOptions } from '../spool/spool.ts';

/** Closed when the test ends, if it has not been before. */
export async function openSpool(folder: string, options?: SpoolOptions): Promise<Spool> {
  const spool = await Spool.open(folder, options);
  onTestFinished(() => spool.close());
  return spool;
}

/** The names of its files, the oldest first. */
export async function segmentsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.spool')).sort();
}
