import { accessSync, constants } from 'node:fs';
import { exitCodes } from '@skolo/base';

/** Exits with 0. */
const nothing = '/bin/true';

/** `execve` is missing in the types of Node. */
type Replaceable = NodeJS.Process & {
  execve?: (file: string, args: readonly string[], env: Record<string, string>) => void;
};

/**
 * Ends this process with exit code 0. `process.exit` waits for threads that resolve a name, up to ten seconds without an
 * internet connection. So the process replaces itself by one that exits at once, if Node supports it (22.15 and newer;
 * https://nodejs.org/api/process.html#processexecvefile-args-env).
 */
export function endProcess(): never {
  const { execve }: Replaceable = process;
  // Does not return: on failure Node aborts.
  if (execve !== undefined && canRun(nothing)) execve.call(process, nothing, [nothing], {});
  process.exit(exitCodes.done);
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
