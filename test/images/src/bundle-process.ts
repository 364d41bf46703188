/** A service as its image runs it: its bundle, with nothing else of the repository in reach. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mainOf } from '@skolo/bench';
import {
  type ProcessOptions,
  type ServiceProcess,
  startServiceProcess,
} from '@skolo/common/testing/own-process';
import type { ServiceName } from '@skolo/rack';
import { z } from 'zod';

const run = promisify(execFile);

/**
 * Started on loopback, on any free port, and ended with the test.
 *
 * @param flags `--rack`, `--state-dir`, and what else it needs
 */
export function startBundle(
  bundles: string,
  name: ServiceName,
  flags: readonly string[],
  options: Pick<ProcessOptions, 'env' | 'onLine'> = {},
): Promise<ServiceProcess> {
  return startServiceProcess(mainOf(bundles, name), flags, { ...options, cwd: bundles });
}

/** What the bundled `skolo` prints. @throws Error with all that it printed. */
export async function skolo(
  bundles: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const bin = join(bundles, 'cli/opt/skolo/packages/cli/bin/skolo.js');
  const options = { cwd: bundles, env: { ...process.env, ...env } };
  try {
    return (await run(process.execPath, [bin, ...args], options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = z
      .object({ stdout: z.string(), stderr: z.string() })
      .partial()
      .parse(error);
    throw new Error(`skolo ${args.join(' ')}: ${stdout}${stderr}`, { cause: error });
  }
}
