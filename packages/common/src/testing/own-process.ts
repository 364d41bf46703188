/** A service as a process of its own, so that it can be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AtTheEnd } from '@skolo/base/testing';
import { defaultTokenFolder } from '@skolo/rack/light';
import { onTestFinished } from 'vitest';

type Line = Record<string, unknown>;

export interface OwnProcess extends ServiceProcess {
  lines: Line[];
  /** Calls it for each line of the log; returns a function that ends that. */
  onLine(listener: (line: Line) => void): () => void;
}

export interface ProcessOptions {
  /** Of Node and V8. */
  nodeFlags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** A command that starts the command behind it. */
  within?: readonly string[];
  /** Whether `child.send` reaches it. */
  hasChannel?: boolean;
  /** Ends it in the end, if nothing has before. */
  lastSignal?: NodeJS.Signals;
  atTheEnd?: AtTheEnd | undefined;
  /** Called for each line of its log. */
  onLine?: (line: Line) => void;
}

/**
 * On 127.0.0.1, on any free port, until the end of the test.
 *
 * @param main of the service
 * @param flags `--rack`, `--state-dir`, and what else it needs
 */
export async function startServiceProcess(
  main: string,
  flags: readonly string[],
  {
    nodeFlags = [],
    env = {},
    cwd,
    within = [],
    hasChannel = false,
    lastSignal = 'SIGKILL',
    atTheEnd = onTestFinished,
    onLine,
  }: ProcessOptions = {},
) {
  const anywhere = ['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0'];
  const node = [process.execPath, ...nodeFlags, main];
  const [program = '', ...args] = [...within, ...node, ...anywhere, ...flags];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit', ...(hasChannel ? (['ipc'] as const) : [])],
    cwd,
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  async function end(signal: NodeJS.Signals): Promise<number | string | null> {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  }
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) await end(lastSignal);
    const [, stateDir] = flags.slice(flags.indexOf('--state-dir'));
    if (stateDir !== undefined)
      await rm(defaultTokenFolder(stateDir), { recursive: true, force: true });
  });
  let last: Line = {};
  const listening = new Promise<Line>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (text) => {
      last = parsed(text);
      if (last.msg === 'listening') resolve(last);
      onLine?.(last);
    });
  });
  const first = await Promise.race([listening, exited]);
  if (Array.isArray(first)) throw new Error(`it did not listen: ${JSON.stringify(last)}`);
  return {
    child,
    url: `http://127.0.0.1:${first.port}`,
    /** Of `/metrics` and `/readyz`. */
    metricsUrl: `http://127.0.0.1:${first.metricsPort}`,
    /** Ends it, and answers its exit code, or the signal. */
    end,
  };
}

export type ServiceProcess = Awaited<ReturnType<typeof startServiceProcess>>;

interface OwnProcessOptions
  extends Pick<ProcessOptions, 'env' | 'nodeFlags' | 'hasChannel' | 'atTheEnd'> {
  /** More of the service. */
  flags?: Readonly<Record<string, string>>;
}

/**
 * The same, with all that it logs.
 *
 * @param main of the service
 * @param dir contains rack.yaml; the state is below it
 */
export async function startOwnProcess(
  main: string,
  dir: string,
  { flags = {}, ...options }: OwnProcessOptions = {},
): Promise<OwnProcess> {
  const lines: Line[] = [];
  const listeners = new Set<(line: Line) => void>();
  const own = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const started = await startServiceProcess(main, [...own, ...Object.entries(flags).flat()], {
    ...options,
    onLine(line) {
      lines.push(line);
      for (const listener of [...listeners]) listener(line);
    },
  });
  return {
    ...started,
    lines,
    onLine(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The last line of a killed process may be torn. */
function parsed(text: string): Line {
  try {
    return JSON.parse(text);
  } catch {
    return { msg: text };
  }
}
