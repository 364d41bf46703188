import { setTimeout as sleep } from 'node:timers/promises';
import { inRounds } from '@skolo/bench';
import type { ServiceName } from '@skolo/rack';
import { imageName } from '../engine/build.ts';
import { type Container, startContainer } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import type { EngineAccess } from '../engine/engine.ts';
import { readPodAlone } from '../engine/pod.ts';
import type { Relay } from '../engine/relay.ts';

export interface Start {
  /** From the engine's start of the container to the first 200 of /readyz. */
  readyMs: number;
  /** From the command to stop it to its end; the command itself is in it. */
  stopMs: number;
  /** MiB of the service's process in RAM, then. */
  resident: number;
  /** MiB of all its processes and files that cannot be dropped: what a limit is compared with. */
  workingSet: number;
}

export interface StartsOptions {
  access: EngineAccess;
  docker: Docker;
  relay: Relay;
  /** What is at /etc/skolo. */
  etc: string;
  rounds: number;
}

/** Medians of some starts. */
export async function measureStarts(service: ServiceName, options: StartsOptions): Promise<Start> {
  let last: Start | undefined;
  const start = async () => {
    last = await startOnce(service, options);
    return last.readyMs;
  };
  const seen = (name: 'stopMs' | 'resident' | 'workingSet') => async () =>
    last?.[name] ?? Number.NaN;
  return inRounds(options.rounds, {
    readyMs: start,
    stopMs: seen('stopMs'),
    resident: seen('resident'),
    workingSet: seen('workingSet'),
  });
}

async function startOnce(
  service: ServiceName,
  { access, docker, relay, etc }: StartsOptions,
): Promise<Start> {
  const { args, command, metricsPort } = await readPodAlone(service, etc);
  const image = imageName(access, service, 'amd64');
  const container = await startContainer(access, image, args, command);
  try {
    const readyAt = await untilReady(relay, `http://${container.address}:${metricsPort}/readyz`);
    const { StartedAt } = await container.state();
    const memory = await memoryOf(docker, container);
    const toldAt = Date.now();
    const { FinishedAt } = await container.stop(30);
    return {
      readyMs: readyAt - Date.parse(StartedAt),
      stopMs: Date.parse(FinishedAt) - toldAt,
      ...memory,
    };
  } catch (error) {
    throw new Error(`${service}: ${await container.logs()}`, { cause: error });
  } finally {
    await container.remove();
  }
}

/** When it was so first. */
async function untilReady(relay: Relay, url: string): Promise<number> {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const answer = await relay.fetch(url).catch(() => undefined);
    if (answer?.status === 200) return Date.now();
    await sleep(5);
  }
  throw new Error(`${url} does not respond 200 within 60 s`);
}

async function memoryOf(
  docker: Docker,
  { name }: Container,
): Promise<Pick<Start, 'resident' | 'workingSet'>> {
  const read = async (script: string) => docker(['exec', name, 'sh', '-c', script]);
  const statuses = await read('cat /proc/[0-9]*/status');
  const resident = [...statuses.matchAll(/^VmRSS:\s+(\d+) kB$/gm)].map(([, kib]) => Number(kib));
  // Version 2 of control groups, or version 1; what kubelet takes for the working set.
  const group = await read(
    'cd /sys/fs/cgroup; if [ -e memory.current ]; then cat memory.current memory.stat; else cd memory; cat memory.usage_in_bytes memory.stat; fi',
  );
  const usage = Number(group.split('\n')[0]);
  const inactive =
    /^total_inactive_file (\d+)$/m.exec(group) ?? /^inactive_file (\d+)$/m.exec(group);
  return {
    // Of the container's processes, node is the largest.
    resident: Math.max(...resident) / 1024,
    workingSet: (usage - Number(inactive?.[1])) / 1024 / 1024,
  };
}
