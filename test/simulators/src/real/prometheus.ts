/** Prometheus and Alertmanager themselves, as their own processes, with their files in a test directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freeTcpPort } from '../free-port.ts';

/** A server like Prometheus: it is ready when `/-/ready` answers 200. */
export interface Program {
  url: string;
  dir: string;
  /** Like `kill -9`. */
  kill(): Promise<void>;
}

/** Files by name, in the directory that the flags are created for. */
interface ProgramFiles {
  files: Record<string, string>;
  /** Without `--`; undefined: a flag without a value. */
  flags(dir: string): Record<string, string | undefined>;
}

const readyWithinMs = 120_000;

/** A standalone Alertmanager, for {@link startProgram}: without a port for peers. */
export function alertmanager(config: string, files: Record<string, string> = {}): ProgramFiles {
  return {
    files: { 'config.yml': config, ...files },
    flags: (dir) => ({
      'config.file': join(dir, 'config.yml'),
      'storage.path': dir,
      'cluster.listen-address': '',
    }),
  };
}

/** Runs until the test ends. */
export async function startProgram(
  program: string,
  { files, flags }: ProgramFiles,
): Promise<Program> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-program-'));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  const address = `127.0.0.1:${await freeTcpPort()}`;
  const args = Object.entries({ ...flags(dir), 'web.listen-address': address }).map(
    ([name, value]) => (value === undefined ? `--${name}` : `--${name}=${value}`),
  );
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (data: Buffer) => {
    output = `${output}${data}`.slice(-2000);
  });
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  onTestFinished(async () => {
    await end('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  });
  if (!(await isReady(child, `http://${address}`))) {
    throw new Error(`${program} does not start: ${output}`);
  }
  return { url: `http://${address}`, dir, kill: () => end('SIGKILL') };
}

/** False: it has ended, or takes too long. */
async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  const deadline = performance.now() + readyWithinMs;
  while (child.exitCode === null && child.signalCode === null) {
    if ((await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) return true;
    if (performance.now() > deadline) return false;
    await pause(30);
  }
  return false;
}
