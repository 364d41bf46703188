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
  /** What it runs on, where that may lose its power; this one when absent. */
  computer?: Computer;
}

export interface RunOptions {
  planned: readonly Planned[];
  /** Seconds that a service may take to end. Asked when they are needed: rack.yaml may have changed. */
  stopWithin(service: ServiceName): Promise<number>;
  cwd: string;
  output: Output;
  /** Aborted to end all of it; and once more, for people in a hurry. */
  stop: AbortSignal;
  hurry: AbortSignal;
  /** Called with the process that may outlive us for a moment. */
  onGuard?(pid: number): Promise<void>;
  /** All of them serve; their public ports. */
  onListening(ports: ReadonlyMap<ServiceName, number>): Promise<void>;
}

const pathOfBuild = fileURLToPath(
  new URL('../../../../packages/console/pages/build.ts', import.meta.url),
);
const slowAfterMs = 20_000;

/**
 * Runs the services until they are to stop.
 *
 * @throws EndedAtOnce One of them could not start; all are ended.
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
  // From a checkout, the pages of the console are built when they are stale.
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

/** The agent last: it asks the others, and at their ports there may be another process until then. */
async function startAll(
  processes: readonly { name: ServiceName; process: ServiceProcess; isAgent: boolean }[],
): Promise<(readonly [ServiceName, number])[]> {
  const start = (isAgent: boolean) =>
    Promise.all(
      processes
        .filter((one) => one.isAgent === isAgent)
        .map(async ({ name, process }) => [name, await process.start()] as const),
    );
  return [...(await start(false)), ...(await start(true))];
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
