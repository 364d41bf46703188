/** A service as its image runs it: a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

export interface ServiceProcess {
  url: string;
  /** Undefined where the service does not log its port. */
  metricsPort: number | undefined;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
  /** As behind a pulled cable: connections stay, and nothing answers. */
  stop(): void;
}

const Listening = z.object({
  msg: z.literal('listening'),
  port: z.number(),
  metricsPort: z.number().optional(),
});

/**
 * Started on 127.0.0.1, on any free port, and ended with the test.
 *
 * @param flags `--rack` and `--state-dir`
 * @param within goes before the program and its arguments
 */
export async function startServiceProcess(
  name: string,
  flags: string[],
  env: Record<string, string> = {},
  within: readonly string[] = [],
): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
  const anywhere = ['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0'];
  const [program, ...args] = [...within, process.execPath, main, ...anywhere, ...flags];
  const child = spawn(program ?? process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  let isStopped = false;
  onTestFinished(() => end(isStopped ? 'SIGKILL' : 'SIGTERM'));
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
  return {
    url: `http://127.0.0.1:${port}`,
    metricsPort,
    kill: () => end('SIGKILL'),
    stop() {
      isStopped = true;
      child.kill('SIGSTOP');
    },
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
