/** A service as its image runs it: as its own process. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newToken } from '@skolo/common';
import { type ServiceProcess, startServiceProcess } from '@skolo/common/testing/own-process';

/**
 * Started on 127.0.0.1, on any free port, and ended with the test, including its children.
 *
 * @param flags `--rack` and `--state-dir`
 * @param within precedes the program and its arguments
 */
export function startService(
  name: string,
  flags: readonly string[],
  env: Record<string, string> = {},
  within: readonly string[] = [],
): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
  return startServiceProcess(main, flags, { env, within, lastSignal: 'SIGTERM' });
}

/** A token of `ann`, an operator, in the token file of that directory. */
export function operatorToken(dir: string): Promise<string> {
  return newToken(join(dir, 'tokens.yaml'), { name: 'ann', role: 'operate', expiresInDays: 1 });
}
