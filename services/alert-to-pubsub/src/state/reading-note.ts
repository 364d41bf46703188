/**
 * Counts how often the process has died while it read the spool: what is in the spool would otherwise end each start. The note about it
 * outlives the process. After another boot, it counts for nothing, because a power cut ends a process that reads, too.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson, readBootId } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';

const phase = 'reading the spool';
const Note = z.object({
  boot: z.string().min(1),
  phase: z.literal(phase),
  deaths: z.int().nonnegative(),
});

export class ReadingNote {
  private readonly file: string;
  private readonly boot: string;

  /** @param boot of the computer; empty: unknown, so that nothing counts */
  constructor(stateDir: string, boot = readBootId() ?? '') {
    this.file = join(stateDir, 'reading.json');
    this.boot = boot;
  }

  /** Notes that the spool is being read. Returns how often the process has died meanwhile since the computer booted. */
  async begin(): Promise<number> {
    const { file, boot } = this;
    const text = await readFileIfExists(file).catch(() => undefined);
    const last = Note.safeParse(parseJson(text ?? '')).data;
    const deaths = last !== undefined && last.boot === boot ? last.deaths + 1 : 0;
    // On a full disk, the spool is read without a note.
    await writeFileAtomic(file, JSON.stringify({ boot, phase, deaths })).catch(() => undefined);
    return deaths;
  }

  /** The spool was read, or the process stops by itself. */
  async end(): Promise<void> {
    await rm(this.file, { force: true }).catch(() => undefined);
  }
}
