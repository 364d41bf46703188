/** A service as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

export interface OwnProcess {
  child: ChildProcess;
  url: string;
  metricsUrl: string;
  lines: Record<string, unknown>[];
  /** Calls it for each line of the log; returns a function that ends that. */
  onLine(listener: (line: Record<string, unknown>) => void): () => void;
  /** Ends it, and answers its exit code, or the signal. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** Takes what is to be done in the end. */
export type AtTheEnd = (cleanUp: () => Promise<void>) => void;

/**
 * On 127.0.0.1, until the end of the test.
 *
 * @param main of the service
 * @param dir contains rack.yaml; the state is below it
 */
export async function startOwnProcess(
  main: string,
  dir: string,
  atTheEnd: AtTheEnd = onTestFinished,
): Promise<OwnProcess> {
  const flags = {
    '--rack': join(dir, 'rack.yaml'),
    '--state-dir': join(dir, 'state'),
    '--port': '0',
    '--metrics-port': '0',
    '--host': '127.0.0.1',
  };
  const child = spawn(process.execPath, [main, ...Object.entries(flags).flat()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines: Record<string, unknown>[] = [];
  const listeners = new Set<(line: Record<string, unknown>) => void>();
  const listening = new Promise<Record<string, unknown>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: Record<string, unknown> = JSON.parse(text);
      lines.push(line);
      if (line.msg === 'listening') resolve(line);
      for (const listener of [...listeners]) listener(line);
    });
  });
  const first = await Promise.race([listening, exited]);
  if (Array.isArray(first)) throw new Error(`it did not listen: ${JSON.stringify(lines.at(-1))}`);

  async function end(signal: NodeJS.Signals): Promise<number | string | null> {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  }
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  });
  return {
    child,
    url: `http://127.0.0.1:${first.port}`,
    metricsUrl: `http://127.0.0.1:${first.metricsPort}`,
    lines,
    onLine(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end,
  };
}
