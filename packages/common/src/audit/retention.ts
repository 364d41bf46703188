/**
 * Deletes old segments of the audit log. The wall clock may jump in both directions, so a segment's age is the time for which
 * this computer has run since the last line: as far as the log has observed it, and by a clock that does not jump. Segments
 * therefore stay longer where the computer or the log was off, and never for less time than promised.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { z } from 'zod';
import { type Clock, readBootId } from '../process/clock.ts';
import { segmentsOf } from './reader.ts';

const keptSeconds = 400 * 86_400;
/** It costs two syncs. */
const everySeconds = 3600;

const Observed = z.object({
  boot: z.string().optional(),
  /** Of the last observation, in seconds since that boot. */
  uptime: z.number(),
  /** For how long the computer has run since the first observation. */
  seconds: z.number(),
  /** `seconds` at the last line of each segment, or at the first observation of it. */
  segments: z.record(z.string(), z.number()),
});

/**
 * Its result must be called after each line.
 *
 * @throws The disk is full, read-only or broken; the next attempt is an hour later.
 */
export function auditRetention(
  dir: string,
  { clock, bootId: boot = readBootId() }: { clock: Pick<Clock, 'uptime'>; bootId?: string },
): (segment: string) => Promise<void> {
  const file = join(dir, 'retention.json');
  let last: { segment: string; uptime: number } | undefined;

  return async function wroteTo(segment) {
    const uptime = clock.uptime();
    if (last?.segment === segment && uptime - last.uptime < everySeconds) return;
    last = { segment, uptime };
    const { data: before } = Observed.safeParse(parseJson((await readFileIfExists(file)) ?? ''));
    const isSameBoot = boot !== undefined && before?.boot === boot;
    const ran = isSameBoot ? Math.max(0, uptime - before.uptime) : 0;
    const seconds = (before?.seconds ?? 0) + ran;
    const segments: Record<string, number> = {};
    for (const each of await segmentsOf(dir)) {
      const at = each === segment ? seconds : (before?.segments[each] ?? seconds);
      if (seconds - at < keptSeconds) segments[each] = at;
      else await rm(join(dir, `${each}.jsonl`), { force: true });
    }
    const now = Observed.parse({ boot, uptime, seconds, segments });
    await writeFileAtomic(file, `${JSON.stringify(now)}\n`);
  };
}
