/** Decides when a disk counts as hanging, because a change has not ended for seconds. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Changes for which the disk has not responded yet. A disk that fails may hang instead of reporting an error, and then everything that would
 * report it waits, too. One disk for a process: that of its state directory.
 */
const changes = new Set<{ since: number }>();
/** A disk that does not respond for so long hangs. A slow SD card takes up to a second. */
export const hangsAfterMs = 5000;
/** For people. */
export const hangs = `the disk has not responded for ${hangsAfterMs / 1000} s; check it with dmesg`;

/** Makes a change, and notices if it hangs. @throws what `change` throws */
export async function toDisk<T>(change: () => Promise<T>): Promise<T> {
  const started = { since: performance.now() };
  changes.add(started);
  try {
    return await change();
  } finally {
    changes.delete(started);
  }
}

/** Since when the disk has not responded, and why that matters, for people; undefined: it responds, or is not needed. */
export function hangingDisk(): { since: Date; why: string } | undefined {
  const [oldest] = changes;
  const ms = oldest === undefined ? 0 : performance.now() - oldest.since;
  if (ms < hangsAfterMs || !isWaitingForDisk()) return undefined;
  return { since: new Date(Date.now() - ms), why: hangs };
}

/**
 * Whether the kernel has stopped a thread of this process until a disk responds: state D in /proc/PID/task/TID/stat (proc(5)). A computer
 * that is only slow has threads that wait for a processor. True where the kernel does not say it.
 */
export function isWaitingForDisk(): boolean {
  const threads = '/proc/self/task';
  try {
    return readdirSync(threads).some((id) =>
      // The name, in parentheses, may contain anything.
      /^.*\) D /s.test(readFileSync(`${threads}/${id}/stat`, 'utf8')),
    );
  } catch {
    return true;
  }
}
