/** The state of a service in k3s, and what changes there when a unit takes over or stops again. */
import { parseJson } from '@skolo/base';
import { failedOverAnnotation, releasedPortAnnotation } from '@skolo/rack/jumphost';
import { z } from 'zod';
import type { PodService } from '../units/services.ts';
import { type ApiServer, KubernetesUnavailable } from './api-server.ts';

/** Of a pod, and why it cannot run. */
interface PodVerdict {
  state: 'ready' | 'can-run' | 'cannot-run';
  why: string;
}

/** k3s, as far as it concerns one service. */
export type Kubernetes =
  | { state: 'absent' | 'silent'; why: string }
  | {
      state: 'answers';
      node: { isReady: boolean; why: string };
      /** Whether its Deployment asks for a pod. One that is missing was lost, or is not applied yet. */
      deployment: 'asks' | 'scaled-to-0' | 'missing';
      pod: PodVerdict & { names: string[] };
      /** Of its LoadBalancer: whether it has the port of the host, and whether we have released that. */
      publicPort: 'load-balancer' | 'released' | 'none';
    };

/** The label of kube/. A kubelet cannot give it to its own node. */
const jumphostLabel = 'node-restriction.kubernetes.io/skolo-jumphost=true';

const Node = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
  }),
});
const Nodes = z.object({ items: z.array(Node) });

const Deployment = z.object({
  spec: z.object({
    replicas: z.number().default(1),
    template: z.object({ spec: z.object({ hostNetwork: z.boolean().default(false) }) }).optional(),
  }),
});

const Reason = z.object({ reason: z.string().default(''), message: z.string().default('') });
const Ended = z.object({ exitCode: z.number() });
const Container = z.object({
  ready: z.boolean().default(false),
  state: z
    .object({
      waiting: Reason.optional(),
      running: z.object({}).optional(),
      terminated: Ended.optional(),
    })
    .default({}),
  lastState: z.object({ terminated: Ended.optional() }).default({}),
});
const Pod = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  status: z.object({
    phase: z.string().default('Pending'),
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
      .default([]),
    containerStatuses: z.array(Container).default([]),
  }),
});
type Pod = z.infer<typeof Pod>;
const Pods = z.object({ items: z.array(Pod) });

const Annotated = z.object({ annotations: z.record(z.string(), z.string()).default({}) });
const Namespace = z.object({ metadata: Annotated });
const Service = z.object({
  metadata: Annotated,
  spec: z.object({
    type: z.string().default('ClusterIP'),
    externalTrafficPolicy: z.string().optional(),
  }),
});
const Before = z.object({
  type: z.literal('LoadBalancer'),
  externalTrafficPolicy: z.string().optional(),
});

/**
 * Asks k3s about a service. That k3s does not respond is a result, too.
 *
 * @param open opens the API server, once for several services
 */
export async function readKubernetes(
  open: () => Promise<ApiServer>,
  service: PodService,
): Promise<{ kubernetes: Kubernetes; api?: ApiServer }> {
  try {
    const api = await open();
    return { kubernetes: await stateOf(api, service), api };
  } catch (error) {
    if (!(error instanceof KubernetesUnavailable)) throw error;
    return { kubernetes: { state: error.state, why: error.message } };
  }
}

async function stateOf(api: ApiServer, service: PodService): Promise<Kubernetes> {
  const [nodes, deployment, pods, publicPort] = await Promise.all([
    api.get(`/api/v1/nodes?labelSelector=${encodeURIComponent(jumphostLabel)}`, Nodes),
    api.get(deploymentPath(service), Deployment),
    api.get(podsPath(service), Pods),
    publicPortOf(api, service),
  ]);
  const items = pods?.items ?? [];
  const replicas = deployment?.spec.replicas;
  const names = items.map(({ metadata }) => metadata.name);
  return {
    state: 'answers',
    node: nodeState(nodes?.items ?? []),
    deployment: replicas === undefined ? 'missing' : replicas > 0 ? 'asks' : 'scaled-to-0',
    pod: { ...reachable(podState(items), service, deployment), names },
    publicPort,
  };
}

/**
 * With the component traefik-on-80 the metadata server is in the pods' network: nobody can ask it here, and what comes to the
 * host's port goes to traefik as long as k3s is there. So its pod is left alone once it could be started.
 */
function reachable(
  { state, why }: PodVerdict,
  { isOnHostNetwork }: PodService,
  deployment: z.infer<typeof Deployment> | undefined,
): PodVerdict {
  const isBehindTraefik = isOnHostNetwork && deployment?.spec.template?.spec.hostNetwork === false;
  return isBehindTraefik && state === 'can-run' ? { state: 'ready', why } : { state, why };
}

function nodeState(nodes: z.infer<typeof Node>[]): { isReady: boolean; why: string } {
  if (nodes.length === 0) return { isReady: false, why: `no node has the label ${jumphostLabel}` };
  const isReady = nodes.some(({ status }) =>
    status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  return isReady ? { isReady, why: '' } : { isReady, why: "the jumphost's node is not ready" };
}

/**
 * A pod whose container was started before can run: while the unit holds port or state, it ends with 1, or stays
 * without getting ready. One that ended with 78 has a configuration that is no use, and one without an image none.
 */
function podState(pods: Pod[]): PodVerdict {
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod === undefined) return cannotRun('k3s has not created the pod');
  const [container] = pod.status.containerStatuses;
  if (container === undefined) {
    const unscheduled = pod.status.conditions.find(
      ({ type, status }) => type === 'PodScheduled' && status === 'False',
    );
    return cannotRun(
      unscheduled === undefined
        ? `the pod is ${pod.status.phase}`
        : `the pod is not scheduled: ${unscheduled.message ?? 'no reason given'}`,
    );
  }
  if (container.ready) return { state: 'ready', why: '' };
  const { running, waiting, terminated } = container.state;
  if (running) return { state: 'can-run', why: '' };
  if (waiting && waiting.reason !== 'CrashLoopBackOff') {
    return cannotRun(`the pod is waiting: ${waiting.reason}`);
  }
  const exitCode = (terminated ?? container.lastState.terminated)?.exitCode ?? 0;
  return exitCode === 0 || exitCode === 1 || exitCode > 128
    ? { state: 'can-run', why: '' }
    : cannotRun(`the pod exited with code ${exitCode}`);
}

function cannotRun(why: string): PodVerdict {
  return { state: 'cannot-run', why };
}

/** A new pod is started at once; one that has crashed waits for up to five minutes. */
export async function renewPods(
  api: ApiServer,
  service: PodService,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    await api.remove(`/api/v1/namespaces/${service.namespace}/pods/${name}`);
  }
}

/** @param replicas 0 or 1: there is never a second one. */
export async function scale(api: ApiServer, service: PodService, replicas: 0 | 1): Promise<void> {
  await api.patch(`${deploymentPath(service)}/scale`, { spec: { replicas } });
}

/**
 * Notes on its namespace what serves in place of k3s: the Deployment may not be there yet. `skolo push` leaves such a service alone.
 *
 * @param why undefined: k3s serves
 */
export async function noteFailedOver(
  api: ApiServer,
  { name, namespace }: PodService,
  why: string | undefined,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  const found = await api.get(path, Namespace);
  const key = `${failedOverAnnotation}${name}`;
  if (found === undefined || found.metadata.annotations[key] === why) return;
  await api.patch(path, { metadata: { annotations: { [key]: why ?? null } } });
}

/**
 * Rules of ServiceLB and kube-proxy catch the port of a LoadBalancer before a process of the host sees a connection, also
 * while there is no pod behind it. So the Service is no LoadBalancer as long as the unit serves.
 */
export async function releasePublicPort(api: ApiServer, service: PodService): Promise<void> {
  const spec = (await api.get(servicePath(service), Service))?.spec;
  const before = { type: spec?.type, externalTrafficPolicy: spec?.externalTrafficPolicy };
  await api.patch(servicePath(service), {
    metadata: { annotations: { [releasedPortAnnotation]: JSON.stringify(before) } },
    spec: { type: 'ClusterIP', externalTrafficPolicy: null },
  });
}

export async function restorePublicPort(api: ApiServer, service: PodService): Promise<void> {
  const found = await api.get(servicePath(service), Service);
  const spec = Before.parse(parseJson(found?.metadata.annotations[releasedPortAnnotation] ?? ''));
  await api.patch(servicePath(service), {
    metadata: { annotations: { [releasedPortAnnotation]: null } },
    spec,
  });
}

async function publicPortOf(api: ApiServer, service: PodService) {
  if (service.isOnHostNetwork) return 'none';
  const found = await api.get(servicePath(service), Service);
  if (found?.spec.type === 'LoadBalancer') return 'load-balancer';
  return found?.metadata.annotations[releasedPortAnnotation] === undefined ? 'none' : 'released';
}

/** Where its Deployment is; the configuration is found there, too. */
export function deploymentPath({ namespace, name }: PodService): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

function servicePath({ namespace, name }: PodService): string {
  return `/api/v1/namespaces/${namespace}/services/${name}`;
}

function podsPath({ namespace, name }: PodService): string {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${name}`);
  return `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
}
