import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { comparison } from './comparison.ts';
import { processorSeconds } from './processor-time.ts';
import { type ServerProcess, startServer } from './server.ts';

const run = promisify(execFile);

/** A service on loopback, on any free ports. */
export interface ServiceProcess extends ServerProcess {
  port: number;
  /** Of `/metrics` and `/readyz`. */
  metricsPort: number;
}

interface ServiceOptions {
  rackFile: string;
  stateDir: string;
  /** Of V8 and Node, besides those of the image. */
  nodeFlags?: readonly string[];
  /** A command that starts the command behind it. */
  wrapper?: readonly string[];
  /** In addition to that of the image. */
  env?: Record<string, string>;
  onAllCores?: boolean;
}

/** Starts a service as it ships. */
export async function startService(
  name: string,
  {
    rackFile,
    stateDir,
    nodeFlags = [],
    wrapper = [],
    env = {},
    onAllCores = false,
  }: ServiceOptions,
): Promise<ServiceProcess> {
  const flags = {
    '--rack': rackFile,
    '--state-dir': stateDir,
    '--port': '0',
    '--metrics-port': '0',
    '--host': '127.0.0.1',
    '--log-level': 'info',
  };
  const main = await bundleOf(name);
  const ofImage = bundles.find((bundle) => bundle.name === name)?.nodeFlags ?? [];
  const server = await startServer({
    command: [
      ...wrapper,
      process.execPath,
      ...ofImage,
      ...nodeFlags,
      main,
      ...Object.entries(flags).flat(),
    ],
    // As in the image.
    env: { MALLOC_ARENA_MAX: '1', ...env },
    onAllCores,
    ready: /"port":(?<port>\d+),"metricsPort":(?<metricsPort>\d+).*"msg":"listening"/,
  });
  const { port, metricsPort } = server.groups;
  const atStart = processorSeconds(server.pid);
  const stop = async () => {
    comparison.processorSeconds += processorSeconds(server.pid) - atStart;
    await server.stop();
  };
  return { ...server, stop, port: Number(port), metricsPort: Number(metricsPort) };
}

const made = new Map<string, Promise<string>>();

/**
 * The main file of the bundle of a service, which is made once and removed at the end of the process. A process that runs from
 * the sources takes 50 MiB more: Node reads TypeScript with a compiler in WebAssembly.
 */
export function bundleOf(name: string): Promise<string> {
  const main = made.get(name) ?? makeBundle(name);
  made.set(name, main);
  return main;
}

async function makeBundle(name: string): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'skolo-bench-bundle-'));
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  const bundle = join(comparison.sources, 'scripts/bundle.mjs');
  await run(process.execPath, [bundle, '--out', out, name]);
  return mainOf(out, name);
}

/** The main file of the bundle of a service, below the folder of all bundles. */
export function mainOf(bundles: string, name: string): string {
  return join(bundles, name, 'opt/skolo/services', name, 'dist/main.js');
}
