/** The service as a process of its own, so that it can be killed and measured. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { alertToPubsubApi, type Client, createClient } from '@skolo/api';
import { onTestFinished } from 'vitest';

const sources = join(import.meta.dirname, '..');

export interface AlertProcess {
  child: ChildProcess;
  url: string;
  metricsUrl: string;
  client: Client<typeof alertToPubsubApi>;
  logged: Record<string, unknown>[];
  /** Ends it, and answers its exit code, or the signal. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/**
 * @param dir has rack.yaml; the state goes below it
 * @param script what is run, below `src`, or anywhere by its whole path
 * @param more flags
 * @param nodeFlags of Node and V8
 */
export async function startAlertProcess(
  dir: string,
  script = 'main.ts',
  more: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<AlertProcess> {
  const flags = {
    '--rack': join(dir, 'rack.yaml'),
    '--state-dir': join(dir, 'state'),
    '--port': '0',
    '--metrics-port': '0',
    '--host': '127.0.0.1',
    ...more,
  };
  const child = spawn(
    process.execPath,
    [...nodeFlags, resolve(sources, script), ...Object.entries(flags).flat()],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, METADATA_SERVER_DETECTION: 'none' },
    },
  );
  const exited = once(child, 'exit');
  async function end(signal: NodeJS.Signals): Promise<number | string | null> {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  }
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  });
  const logged: Record<string, unknown>[] = [];
  const listening = new Promise<Record<string, unknown>>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parsed(text);
      logged.push(line);
      if (line.msg === 'listening') resolve(line);
    });
  });
  const first = await Promise.race([listening, exited]);
  if (Array.isArray(first)) throw new Error(`it did not listen: ${JSON.stringify(logged.at(-1))}`);
  const url = `http://127.0.0.1:${first.port}`;
  const metricsUrl = `http://127.0.0.1:${first.metricsPort}`;
  const client = createClient(alertToPubsubApi, { baseUrl: url });
  return { child, url, metricsUrl, client, logged, end };
}

/** The last line of a killed process may be torn. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return { msg: text };
  }
}

/** In MiB: resident now, and the most that ever was. Undefined where the kernel does not report it. */
export async function memoryOf({
  child,
}: AlertProcess): Promise<{ now: number; most: number } | undefined> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  const of = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  };
  const [now, most] = [of('VmRSS'), of('VmHWM')];
  return now === undefined || most === undefined ? undefined : { now, most };
}
