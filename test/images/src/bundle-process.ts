/** A service as its image runs it: its bundle, with nothing else of the repository in reach. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { mainOf } from '@skolo/bench';
import type { ServiceName } from '@skolo/rack';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const run = promisify(execFile);

interface BundleProcess {
  url: string;
  /** Of `/metrics` and `/readyz`. */
  metricsUrl: string;
  /** Ends it, and answers its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

const Listening = z.object({ msg: z.literal('listening'), port: z.int(), metricsPort: z.int() });

/**
 * Started on loopback, on any free port, and ended with the test.
 *
 * @param flags `--rack`, `--state-dir`, and what else it needs
 */
export async function startBundle(
  bundles: string,
  name: ServiceName,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<BundleProcess> {
  const anywhere = ['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0'];
  const child = spawn(process.execPath, [mainOf(bundles, name), ...anywhere, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: bundles,
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
    return child.exitCode ?? child.signalCode;
  };
  onTestFinished(() => void (child.exitCode === null && child.kill('SIGKILL')));
  let output = '';
  child.stderr.on('data', (data: Buffer) => {
    output = `${output}${data}`.slice(-4000);
  });
  const { port, metricsPort } = await new Promise<z.output<typeof Listening>>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      output = `${output}${line}\n`.slice(-4000);
      const listening = Listening.safeParse(parsed(line)).data;
      if (listening) resolve(listening);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${name} has ended: ${output}`)));
  });
  const at = (number: number) => `http://127.0.0.1:${number}`;
  return { url: at(port), metricsUrl: at(metricsPort), end };
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

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
