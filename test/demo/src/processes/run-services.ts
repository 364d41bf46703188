import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServiceName } from '@skolo/rack';
import type { Computer } from '../agent-computer.ts';
import { readableLine } from '../output/log-lines.ts';
import type { Output } from '../output/output.ts';
import { mainOf } from '../services/service.ts';
import { Guard } from './guard.ts';
import { ServiceProcess } from './service-process.ts';

/** A service to run, with its flags. */
export interface Planned {
  name: ServiceName;
  flags: string[];
  /** What it runs on, if that may lose its power; default: this computer. */
  computer?: Computer;
}

interface RunOptions {
  planned: readonly Planned[];
  /** Seconds that a service may take to end. Evaluated when needed, because rack.yaml may have changed. */
  stopWithin(service: ServiceName): Promise<number>;
  cwd: string;
  output: Output;
  /** Aborted to end everything; and once more, for people in a hurry. */
  stop: AbortSignal;
  hurry: AbortSignal;
  /** Called with the process that may briefly outlive this one. */
  onGuard?(pid: number): Promise<void>;
  /** All of them serve; their public ports. */
  onListening(ports: ReadonlyMap<ServiceName, number>): Promise<void>;
}

const pathOfBuild = fileURLToPath(
  new URL('../../../../packages/console/pages/build.ts', import.meta.url),
);
const slowAfterMs = 20_000;

/**
 * Runs the services until they are stopped.
 *
 * @throws EndedAtOnce One of them could not start; all have been ended.
 */
export async function runServices(options: RunOptions): Promise<void> {
  const { planned, cwd, output, stop, hurry } = options;
  const guard = new Guard(options.onGuard);
  const width = Math.max(...planned.map(({ name }) => name.length));
  const processes = planned.map(({ name, flags, computer }) => {
    const style = { service: name, width, colour: output.colour };
    const process = new ServiceProcess({
      name,
      args: [mainOf(name), ...flags],
      cwd,
      guard,
      computer,
      onLine: (line) => output.line(readableLine(line, style)),
      print: (text) => output.problem(text),
      stopWithin: () => options.stopWithin(name),
    });
    return { name, process, isAgent: computer !== undefined };
  });
  function killAll() {
    for (const { process } of processes) process.kill();
  }
  hurry.addEventListener('abort', killAll);
  // In a checkout, the console's pages are rebuilt if outdated.
  await promisify(execFile)(process.execPath, [pathOfBuild]);
  const slow = setTimeout(() => output.problem('Not all services listen yet …'), slowAfterMs);

  try {
    await guard.start();
    const ports = await Promise.race([startAll(processes), aborted(stop)]);
    clearTimeout(slow);
    if (ports) {
      await options.onListening(new Map(ports));
      await aborted(stop);
    }
  } finally {
    clearTimeout(slow);
    await Promise.all(processes.map(({ process }) => process.stop()));
    await guard.close();
    hurry.removeEventListener('abort', killAll);
  }
}

/** The agent starts after the services that it uses: until then, another process may be at their ports. */
const askedByAgent: readonly ServiceName[] = ['metadata-server', 'power-cycle-daemon'];

/** @returns The port of each service. */
async function startAll(
  processes: readonly { name: ServiceName; process: ServiceProcess; isAgent: boolean }[],
): Promise<(readonly [ServiceName, number])[]> {
  const services = processes
    .filter(({ isAgent }) => !isAgent)
    .map(({ name, process }) => ({ name, port: process.start() }));
  const asked = services.filter(({ name }) => askedByAgent.includes(name)).map(({ port }) => port);
  const agents = processes
    .filter(({ isAgent }) => isAgent)
    .map(({ name, process }) => ({ name, port: Promise.all(asked).then(() => process.start()) }));
  return await Promise.all(
    [...services, ...agents].map(async ({ name, port }) => [name, await port] as const),
  );
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
