import { readFileSync } from 'node:fs';

/** Linux counts in these on all platforms of Node: proc(5), `sysconf(_SC_CLK_TCK)`. */
const ticksPerSecond = 100;

/** Processor time of a running process, of all its threads: proc(5), /proc/pid/stat. 0 if it has ended. Seconds. */
export function processorSeconds(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return 0;
  }
  // Fields 14 and 15; the name, the second one, may contain blanks.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / ticksPerSecond;
}
