import { readdir } from 'node:fs/promises';
import { untilTestEnds } from '@skolo/base/testing';
import { Spool, type SpoolOptions } from '../spool/spool.ts';

/** Closed when the test ends, if it has not been before. */
export async function openSpool(folder: string, options?: SpoolOptions): Promise<Spool> {
  return untilTestEnds(await Spool.open(folder, options));
}

/** The names of its files, the oldest first. */
export async function segmentsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.spool')).sort();
}
