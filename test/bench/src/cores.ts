import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Absolute path of a program, by PATH; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Numbers in `0-3,8`, as the kernel lists CPUs. */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/**
 * A core for the server and another one for its load, out of those that this process may use. Undefined where
 * there is only one, or no `taskset` (util-linux) to keep to it.
 */
function twoCores(): { server: number; load: number } | undefined {
  if (!findProgram('taskset')) return undefined;
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(?<list>\S+)$/m.exec(status)?.groups?.list ?? '';
  const [server, load] = parseCpuList(list);
  return server === undefined || load === undefined ? undefined : { server, load };
}

/** The command, kept to one core where that is possible. */
export function pinned(
  command: readonly string[],
  to: 'server' | 'load',
  cores = twoCores(),
): string[] {
  return cores ? ['taskset', '--cpu-list', String(cores[to]), ...command] : [...command];
}
