import { accessSync, constants } from 'node:fs';
import { exitCodes } from './exit-codes.ts';

/** Does nothing, with exit code 0. */
const nothing = '/bin/true';

/** With what Node 20 does not have, nor its types. */
type Replaceable = NodeJS.Process & {
  execve?: (file: string, args: readonly string[], env: Record<string, string>) => void;
};

/**
 * Ends this process with exit code 0, when all that it has to do is done. `process.exit` waits for threads that look up a name:
 * up to ten seconds where the resolver is silent, as it is without the uplink. So the process becomes one that ends at once,
 * where Node can do that (22.15 and newer; https://nodejs.org/api/process.html#processexecvefile-args-env).
 */
export function endProcess(): never {
  const { execve }: Replaceable = process;
  // It does not come back: where it fails, Node aborts.
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
