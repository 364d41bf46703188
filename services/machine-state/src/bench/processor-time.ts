import { readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** Seconds of processor time that a running process has used: utime and stime of proc(5), /proc/pid/stat. */
export function processorSeconds(pid: number): number {
  // The program's name, in brackets, may contain spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
