/** Each workload of a rack as a pod on a real node, started once more while the others run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { allWorkloads, type Pod, type RackOnNodes } from '../engine/rack-on-nodes.ts';

export interface PodStart {
  /** From the time that its kubelet accepts it to that of `Ready`, in whole seconds; its image is there. */
  readySeconds: number;
  /** MiB of the working set of all its containers, as its kubelet reports it then. */
  workingSet: number;
}

const Summary = z.object({
  pods: z.array(
    z.object({
      podRef: z.object({ name: z.string() }),
      memory: z.object({ workingSetBytes: z.number() }).optional(),
    }),
  ),
});

export async function measurePod(rack: RackOnNodes, workload: string): Promise<PodStart> {
  const readyPod = async (name: string) => {
    const found = await rack.podOf(name);
    return found && readyAt(found) ? found : undefined;
  };
  for (const name of allWorkloads) await until(name, () => readyPod(name));
  const { name, namespace } = (await until(workload, () => readyPod(workload))).metadata;
  await rack.plane.kubectl(['delete', 'pod', '-n', namespace, name]);
  const pod = await until(workload, () => readyPod(workload));
  const began = pod.status.startTime?.getTime() ?? Number.NaN;
  const path = `/api/v1/nodes/${pod.spec.nodeName}/proxy/stats/summary`;
  // kubelet measures each container every ten seconds, and reports 0 before.
  const bytes = await until(workload, async () => {
    const { pods } = Summary.parse(JSON.parse(await rack.plane.kubectl(['get', '--raw', path])));
    const found = pods.find(({ podRef }) => podRef.name === pod.metadata.name);
    return found?.memory?.workingSetBytes || undefined;
  });
  return {
    readySeconds: ((readyAt(pod)?.getTime() ?? Number.NaN) - began) / 1000,
    workingSet: bytes / 1024 / 1024,
  };
}

export function readyAt({ status }: Pod): Date | undefined {
  const isReady = status.conditions.find(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
  return isReady?.lastTransitionTime;
}

export async function until<Result>(
  workload: string,
  find: () => Promise<Result | undefined>,
  patienceSeconds = 180,
): Promise<Result> {
  const end = Date.now() + patienceSeconds * 1000;
  while (Date.now() < end) {
    const found = await find();
    if (found !== undefined) return found;
    await sleep(250);
  }
  throw new Error(`${workload} is not ready within ${patienceSeconds} s`);
}
