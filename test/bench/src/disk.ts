import { readFileSync } from 'node:fs';

/** Bytes that a running process has written to the disk, as the kernel counts them: proc(5), /proc/pid/io. */
export function writtenBytes(pid: number): number {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const bytes = /^write_bytes: (\d+)$/m.exec(io)?.[1];
  if (bytes === undefined) throw new Error(`no write_bytes in:\n${io}`);
  return Number(bytes);
}
