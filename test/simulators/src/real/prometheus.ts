/** Prometheus and Alertmanager themselves, as their own processes, with their files in a test directory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freeTcpPort } from '../free-port.ts';
import { Process } from '../process.ts';

/** A server like Prometheus: it is ready when `/-/ready` answers 200. */
export interface Program {
  url: string;
  dir: string;
  /** Like `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again, at the same address and with the same files. */
  restart(): Promise<void>;
}

/** Files by name, in the directory that the flags are created for. */
interface ProgramFiles {
  files: Record<string, string>;
  /** Without `--`; undefined: a flag without a value. */
  flags(dir: string): Record<string, string | undefined>;
}

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
  const url = `http://${address}`;
  let child: Process | undefined;
  async function restart(): Promise<void> {
    child = new Process(program, args);
    await child.until('to be ready', async () => {
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true;
    });
  }
  onTestFinished(async () => {
    await child?.stop('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  });
  await restart();
  return { url, dir, restart, kill: async () => await child?.stop() };
}
