/** machine-state as a process of its own, so that it can be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

export interface Program {
  url: string;
  pid: number;
  kill(): Promise<void>;
}

/** @param dir has rack.yaml; the state goes below it */
export async function startProgram(dir: string): Promise<Program> {
  const flags = {
    '--rack': join(dir, 'rack.yaml'),
    '--state-dir': join(dir, 'state'),
    '--port': '0',
    '--metrics-port': '0',
    '--host': '127.0.0.1',
  };
  const main = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, [main, ...Object.entries(flags).flat()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill();
  });
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, port] = /"port":(\d+),.*"msg":"listening"/.exec(line) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const port = await Promise.race([listening, exited]);
  if (typeof port !== 'number') throw new Error('machine-state did not start');
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, kill };
}
