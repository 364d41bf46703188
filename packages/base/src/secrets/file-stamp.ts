import type { BigIntStats } from 'node:fs';

/** The clock of file systems ticks coarsely (4 ms on ext4, up to 2 s elsewhere); see {@link isSettled}. */
const settledAfterMs = 2_000;

/** Tells one version of a file from another without reading it. Compare with `===`. */
export function fileStamp(stat: BigIntStats): string {
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
}

/**
 * Whether a later change is sure to change the stamp, too. A file that was written just now can be written again
 * within the same tick of the file system's clock, with the same size; so its stamp proves nothing yet, nor does that
 * of a file from the future (a wall clock that is wrong).
 */
export function isSettled(stat: BigIntStats, now = Date.now()): boolean {
  return now - Number(stat.ctimeMs) > settledAfterMs;
}
