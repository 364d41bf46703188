/** Decides whether the cluster's own pods are healthy, and what kills them on slow computers. */
import { count, type Finding } from '@skolo/base';
import { z } from 'zod';
import { type Kubectl, systemNamespaces } from '../kubectl.ts';
import { finding } from './finding.ts';

const Terminated = z.object({ exitCode: z.number(), reason: z.string().default('') });
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ namespace: z.string(), name: z.string() }),
      spec: z.object({
        nodeName: z.string().default('no node'),
        containers: z.array(
          z.object({
            name: z.string(),
            livenessProbe: z.object({ timeoutSeconds: z.number().default(1) }).optional(),
          }),
        ),
      }),
      status: z.object({
        phase: z.string().default(''),
        containerStatuses: z
          .array(
            z.object({
              name: z.string(),
              ready: z.boolean(),
              restartCount: z.number(),
              state: z
                .object({ waiting: z.object({ reason: z.string().default('') }).optional() })
                .default({}),
              lastState: z.object({ terminated: Terminated.optional() }).default({}),
            }),
          )
          .default([]),
      }),
    }),
  ),
});
type Pod = z.output<typeof Pods>['items'][number];
type Status = Pod['status']['containerStatuses'][number];

/** A crash loop; a reboot causes fewer restarts. */
const manyRestarts = 5;

export async function systemPods(kubectl: Kubectl): Promise<Finding[]> {
  const all = await kubectl.get(Pods, ['pods', '--all-namespaces']);
  const items = all.items.filter(({ metadata }) => systemNamespaces.has(metadata.namespace));
  const check = 'system pods';
  const wrong = ({ metadata, spec }: Pod, [why, advice]: Fault) =>
    finding(check, 'differs', `${metadata.name}: ${why}`, { where: [spec.nodeName], advice });
  const failing = items.flatMap((pod) => {
    if (pod.status.phase === 'Succeeded') return [];
    const probes = new Map(pod.spec.containers.map((each) => [each.name, each.livenessProbe]));
    return pod.status.containerStatuses.flatMap((each) => {
      const why = whyWrong(each, probes.get(each.name)?.timeoutSeconds);
      return why === undefined ? [] : [wrong(pod, why)];
    });
  });
  const pending = items.filter(({ status }) => status.phase === 'Pending');
  const findings = [
    ...failing,
    ...pending.map((pod) => {
      const { namespace, name } = pod.metadata;
      return wrong(pod, ['pending', `run kubectl -n ${namespace} describe pod ${name} to see why`]);
    }),
  ];
  return findings.length > 0
    ? findings
    : [finding(check, 'ok', `${count(items.length, 'pod')}, none of which is pending or crashing`)];
}

type Fault = [found: string, advice: string];

function whyWrong(
  { name, ready, restartCount, state, lastState }: Status,
  probeSeconds: number | undefined,
): Fault | undefined {
  const { terminated } = lastState;
  const isLooping = restartCount >= manyRestarts || state.waiting?.reason === 'CrashLoopBackOff';
  if (!isLooping) {
    const { reason } = state.waiting ?? {};
    if (ready || reason === undefined || reason === 'ContainerCreating') return undefined;
    return [`not starting (${reason})`, 'run kubectl describe to see why'];
  }
  if (terminated?.reason === 'OOMKilled') {
    return [
      `restarted ${count(restartCount, 'time')} because it ran out of memory`,
      'move pods to other nodes',
    ];
  }
  // A kubelet kills containers that do not respond to its probe: 137 is SIGKILL, 143 SIGTERM, and an API server exits with 0 after both.
  const isKilled = terminated === undefined || [0, 137, 143].includes(terminated.exitCode);
  if (probeSeconds !== undefined && isKilled) {
    const how =
      name === 'kube-apiserver' || name === 'etcd'
        ? `increase timeoutSeconds and failureThreshold of livenessProbe and startupProbe in /etc/kubernetes/manifests/${name}.yaml, or use k3s`
        : 'increase timeoutSeconds of its livenessProbe';
    return [
      `restarted ${count(restartCount, 'time')}, probably because its liveness probe took longer than ${probeSeconds} s, which can happen on a slow Pi`,
      how,
    ];
  }
  return [
    `restarted ${count(restartCount, 'time')} (exit code ${terminated?.exitCode ?? 'unknown'})`,
    'run kubectl logs --previous to see why',
  ];
}
