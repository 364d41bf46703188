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
  private deaths = 0;

  /** @param boot of the computer; empty: unknown, so that nothing counts */
  constructor(stateDir: string, boot = readBootId() ?? '') {
    this.file = join(stateDir, 'reading.json');
    this.boot = boot;
  }

  /** Notes that the spool is being read. Returns how often the process has died meanwhile since the computer booted. */
  async begin(): Promise<number> {
    const text = await readFileIfExists(this.file).catch(() => undefined);
    const last = Note.safeParse(parseJson(text ?? '')).data;
    this.deaths = last !== undefined && last.boot === this.boot ? last.deaths + 1 : 0;
    await this.write(this.deaths);
    return this.deaths;
  }

  /** The process stops by itself, or cannot read the spool now: no death, but earlier ones still count. */
  async interrupt(): Promise<void> {
    if (this.deaths === 0) await this.end();
    else await this.write(this.deaths - 1);
  }

  /** The spool was read. */
  async end(): Promise<void> {
    await rm(this.file, { force: true }).catch(() => undefined);
  }

  /** On a full disk, the spool is read without a note. */
  private async write(deaths: number): Promise<void> {
    const note = JSON.stringify({ boot: this.boot, phase, deaths });
    await writeFileAtomic(this.file, note).catch(() => undefined);
  }
}
