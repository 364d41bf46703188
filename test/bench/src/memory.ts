import { readFileSync } from 'node:fs';
import type { Measurement } from './bench.ts';

/** Memory of a running process that is in RAM, in MiB; throws when there is no process with this id. */
export function residentMemory(pid: number): number {
  return mebibytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
}

/** As `residentMemory`, but the most that there ever was. */
export function peakMemory(pid: number): number {
  return mebibytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM');
}

/** `residentMemory`, compared with its proportional part (PSS): memory shared with other processes counts once for all of them. */
export function memoryOf(pid: number): Measurement {
  const proportional = mebibytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss');
  return { figure: residentMemory(pid), against: { proportional } };
}

/** A field of a file of /proc, which says kB and means KiB. */
export function mebibytes(text: string, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`no ${field} in:\n${text}`);
  return Number(kibibytes) / 1024;
}
