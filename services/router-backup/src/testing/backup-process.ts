/** The service as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Client, createClient, routerBackupApi } from '@skolo/api';
import { onTestFinished } from 'vitest';

const main = join(import.meta.dirname, '../main.ts');

export interface BackupProcess {
  child: ChildProcess;
  url: string;
  client: Client<typeof routerBackupApi>;
  lines: Record<string, unknown>[];
  /** Ends it, and answers its exit code, or the signal. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
}

/** @param dir has rack.yaml; the state goes below it */
export async function startBackupProcess(dir: string, token: string): Promise<BackupProcess> {
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
  const listening = new Promise<Record<string, unknown>>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: Record<string, unknown> = JSON.parse(text);
      lines.push(line);
      if (line.msg === 'listening') resolve(line);
    });
  });
  const first = await Promise.race([listening, exited]);
  if (Array.isArray(first)) throw new Error(`it did not listen: ${JSON.stringify(lines.at(-1))}`);
  const url = `http://127.0.0.1:${first.port}`;

  async function end(signal: NodeJS.Signals): Promise<number | string | null> {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  }
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  });
  return { child, url, client: createClient(routerBackupApi, { baseUrl: url, token }), lines, end };
}
