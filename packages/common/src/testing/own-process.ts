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

interface OwnProcessOptions {
  /** More of the service. */
  flags?: Readonly<Record<string, string>>;
  /** Of Node and V8. */
  nodeFlags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Whether `child.send` reaches it. */
  hasChannel?: boolean;
  atTheEnd?: AtTheEnd | undefined;
}

/**
 * On 127.0.0.1, until the end of the test.
 *
 * @param main of the service
 * @param dir contains rack.yaml; the state is below it
 */
export async function startOwnProcess(
  main: string,
  dir: string,
  {
    flags: more = {},
    nodeFlags = [],
    env = {},
    hasChannel = false,
    atTheEnd = onTestFinished,
  }: OwnProcessOptions = {},
): Promise<OwnProcess> {
  const flags = {
    '--rack': join(dir, 'rack.yaml'),
    '--state-dir': join(dir, 'state'),
    '--port': '0',
    '--metrics-port': '0',
    '--host': '127.0.0.1',
    ...more,
  };
  const args = [...nodeFlags, main, ...Object.entries(flags).flat()];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', ...(hasChannel ? (['ipc'] as const) : [])],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  const lines: Record<string, unknown>[] = [];
  const listeners = new Set<(line: Record<string, unknown>) => void>();
  const listening = new Promise<Record<string, unknown>>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parsed(text);
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

/** The last line of a killed process may be torn. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return { msg: text };
  }
}
