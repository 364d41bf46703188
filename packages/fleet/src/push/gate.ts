/**
 * Decides whether a workload's new version is ready, still starting, or has failed, from its objects in the cluster (pure). `kubectl
 * rollout status` only times out; a gate names the pod, the machine and the cause.
 */
import { count } from '@skolo/base';
import { z } from 'zod';
import type { KubeObject } from './objects.ts';
import { mostLosses } from './worsened.ts';

const text = z.string().default('');
const Why = z.object({ reason: text, message: text });

const ContainerState = z.object({
  waiting: Why.optional(),
  running: z.object({}).optional(),
  terminated: Why.extend({ exitCode: z.number() }).optional(),
});

const ContainerStatus = z.object({
  name: z.string(),
  image: text,
  restartCount: z.number().default(0),
  state: ContainerState.default({}),
  lastState: ContainerState.default({}),
});
type ContainerStatus = z.infer<typeof ContainerStatus>;

export const Condition = Why.extend({ type: z.string(), status: z.string() });

const Meta = z.object({
  name: z.string(),
  uid: text,
  generation: z.number().default(0),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  deletionTimestamp: z.string().optional(),
  ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
});

export const Pod = z.object({
  metadata: Meta,
  spec: z.object({ nodeName: z.string().optional() }).default({}),
  status: Why.extend({
    phase: text,
    conditions: z.array(Condition).default([]),
    initContainerStatuses: z.array(ContainerStatus).default([]),
    containerStatuses: z.array(ContainerStatus).default([]),
  }).prefault({}),
});
type Pod = z.infer<typeof Pod>;

const Node = z.object({
  metadata: Meta,
  status: z.object({ conditions: z.array(Condition).default([]) }).prefault({}),
});

const Workload = z.object({
  kind: z.enum(['Deployment', 'DaemonSet']),
  metadata: Meta,
  spec: z.object({ replicas: z.number().default(1) }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      desiredNumberScheduled: z.number().default(0),
      conditions: z.array(Condition).default([]),
    })
    .prefault({}),
});

/** Of a Deployment: a ReplicaSet. Of a DaemonSet: a ControllerRevision. */
const Revision = z.object({ metadata: Meta, revision: z.number().optional() });

/** The kinds that a gate reads. */
export const gateKinds = [
  'deployments.apps',
  'daemonsets.apps',
  'replicasets.apps',
  'controllerrevisions.apps',
  'pods',
  'nodes',
];

type PodState =
  /** It runs the new version, and is ready. */
  | 'ready'
  /** It runs an earlier version. */
  | 'old'
  /** It runs an earlier version and is finishing its task. */
  | 'draining'
  | 'waiting'
  /** It will not recover by waiting. */
  | 'failed'
  /** Its machine does not respond, and its pod was not replaced. */
  | 'dead'
  /** Its machine responded before the push. It is a canary or runs the new pod, and no longer responds. */
  | 'silent'
  /** It has been silent for longer than a new pod may take. */
  | 'lost'
  /** It was unhealthy before the push. */
  | 'unhealthy';

export interface PodVerdict {
  /** Its machine; `(POD)` while it has none. */
  node: string;
  pod: string;
  state: PodState;
  /** The problem, or the reason why it is waiting. */
  cause: string;
  restarts: number;
}

export interface Verdict {
  /**
   * `failed` as soon as one pod has; `waiting` until all are ready on responding machines; `unseen`: none can be, because all
   * were unhealthy before the push.
   */
  state: 'ready' | 'waiting' | 'failed' | 'unseen';
  pods: PodVerdict[];
  /** A problem of the workload itself, such as pods that are not admitted. */
  cause?: string;
}

interface Scope {
  /** The canaries; only these machines count. Default: all. */
  nodes?: ReadonlySet<string> | undefined;
  /** Machines that were unhealthy before, which do not block the push. If absent, nothing is compared with an earlier state. */
  excused?: ReadonlySet<string> | undefined;
  /** Machines that have been silent for too long. */
  lost?: ReadonlySet<string>;
  /** How many of this many machines may be lost by chance. Default: as without a history. */
  mostLost?: (machines: number) => number;
}

/**
 * The progress of a Deployment or DaemonSet with its newest version.
 *
 * @param objects of the kinds {@link gateKinds} in its namespace
 */
export function judge(
  workload: { kind: string; name: string },
  objects: readonly KubeObject[],
  { nodes, excused, lost, mostLost = (machines) => mostLosses(machines, 0) }: Scope = {},
): Verdict {
  const found = objects.find(
    ({ kind, metadata }) => kind === workload.kind && metadata.name === workload.name,
  );
  if (found === undefined) return { state: 'waiting', pods: [], cause: 'not created yet' };
  const { kind, metadata, spec, status } = Workload.parse(found);
  if (status.observedGeneration < metadata.generation) {
    return {
      state: 'waiting',
      pods: [],
      cause: 'no controller has processed its latest change yet',
    };
  }
  const rejected = status.conditions.find(
    (each) => each.type === 'ReplicaFailure' && each.status === 'True',
  );
  if (rejected) {
    return {
      state: 'failed',
      pods: [],
      cause: `the API server rejects its pods: ${rejected.message}`,
    };
  }
  const isNew = newest(kind, metadata.uid, objects);
  const dead = deadNodes(objects);
  const owned = objects
    .filter((each) => each.kind === 'Pod')
    .map((each) => Pod.parse(each))
    .filter((pod) => isOwned(pod, kind, metadata.uid, objects));
  const pods = (
    kind === 'DaemonSet' ? perNode(owned, isNew, dead) : ofDeployment(owned, isNew, dead)
  )
    .filter(({ node }) => nodes === undefined || nodes.has(node))
    .map(({ isReplaced, ...pod }): PodVerdict => {
      if (excused?.has(pod.node) && isUnhealthy(pod)) return { ...pod, state: 'unhealthy' };
      const isSilent = excused && pod.state === 'dead' && (isReplaced || nodes !== undefined);
      if (!isSilent) return pod;
      return { ...pod, state: lost?.has(pod.node) ? 'lost' : 'silent', cause: silence };
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const wanted =
    kind === 'DaemonSet' ? (nodes?.size ?? status.desiredNumberScheduled) : spec.replicas;
  const are = (...states: PodState[]) => pods.filter(({ state }) => states.includes(state)).length;
  const most = mostLost(pods.length);
  const isDying = are('dead') > most;
  // A Deployment has one pod for the whole rack.
  const isLosing = are('lost') > (kind === 'DaemonSet' ? most : 0);
  const isDone = are('ready', 'dead', 'unhealthy', 'lost') === pods.length && pods.length >= wanted;
  const isSeen = are('ready') > 0 || pods.length === 0 || (nodes !== undefined && are('lost') > 0);
  const end = isSeen ? 'ready' : are('dead', 'lost') > 0 ? 'waiting' : 'unseen';
  const cause =
    pods.length < wanted
      ? `pods not created yet: ${wanted - pods.length} of ${wanted}`
      : isDying || isLosing
        ? `${count(are('dead', 'lost'), 'machine')} stopped responding after the push, more than can be explained by chance`
        : undefined;
  const isFailed = are('failed') > 0 || isLosing;
  return {
    state: isFailed ? 'failed' : isDone && !isDying ? end : 'waiting',
    pods,
    ...(cause !== undefined && { cause }),
  };
}

const silence =
  'the machine responded before the push, but no longer does; check its power and the new version';

/** The progress of a pod that exists in only one version, such as a Job's. */
export function judgePod(object: KubeObject): PodVerdict {
  return verdictOf(Pod.parse(object), () => true, new Set());
}

/** Neither ready nor about to be replaced. */
export function isUnhealthy({ state }: PodVerdict): boolean {
  return state === 'failed' || state === 'waiting' || state === 'dead';
}

/** Machines whose kubelet does not respond. */
export function deadNodes(objects: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    objects
      .filter(({ kind }) => kind === 'Node')
      .map((object) => Node.parse(object))
      .filter(({ status }) => !isTrue(status.conditions, 'Ready'))
      .map(({ metadata }) => metadata.name),
  );
}

type IsNew = (pod: Pod) => boolean;

/** Whether a pod has the newest version of its workload. */
function newest(
  kind: 'Deployment' | 'DaemonSet',
  uid: string,
  objects: readonly KubeObject[],
): IsNew {
  const isDeployment = kind === 'Deployment';
  const [last] = objects
    .filter((each) => each.kind === (isDeployment ? 'ReplicaSet' : 'ControllerRevision'))
    .map((each) => Revision.parse(each))
    .filter(({ metadata }) => metadata.ownerReferences.some((owner) => owner.uid === uid))
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const label = isDeployment ? 'pod-template-hash' : 'controller-revision-hash';
  const hash = last?.metadata.labels[label];
  return ({ metadata }) => hash !== undefined && metadata.labels[label] === hash;
}

function revisionOf({ metadata, revision }: z.infer<typeof Revision>): number {
  return revision ?? Number(metadata.annotations['deployment.kubernetes.io/revision'] ?? 0);
}

function isOwned(pod: Pod, kind: string, uid: string, objects: readonly KubeObject[]): boolean {
  const owners = new Set(pod.metadata.ownerReferences.map((owner) => owner.uid));
  if (kind === 'DaemonSet') return owners.has(uid);
  return objects
    .filter((each) => each.kind === 'ReplicaSet')
    .map((each) => Revision.parse(each).metadata)
    .some((set) => owners.has(set.uid) && set.ownerReferences.some((owner) => owner.uid === uid));
}

interface Found extends PodVerdict {
  /** It has the newest version, and the machine does not run another one. */
  isReplaced: boolean;
}

function ofDeployment(pods: readonly Pod[], isNew: IsNew, dead: ReadonlySet<string>): Found[] {
  return pods
    .map((pod) => verdictOf(pod, isNew, dead))
    .filter(({ state }, i) => !(state === 'dead' && isEnding(pods[i])));
}

/** One verdict for each machine, which may run both an old pod and a new one. */
function perNode(pods: readonly Pod[], isNew: IsNew, dead: ReadonlySet<string>): Found[] {
  return [...Map.groupBy(pods, nodeOf).values()].flatMap((all) => {
    const pod =
      all.find((each) => isNew(each) && !isEnding(each)) ??
      all.find((each) => !isEnding(each)) ??
      all[0];
    return pod === undefined ? [] : [verdictOf(pod, isNew, dead)];
  });
}

function verdictOf(pod: Pod, isNew: IsNew, dead: ReadonlySet<string>): Found {
  const { metadata, status } = pod;
  const node = nodeOf(pod);
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const isReplaced = isNew(pod) && !isEnding(pod);
  const verdict = { node, pod: metadata.name, restarts, isReplaced };
  if (dead.has(node)) return { ...verdict, state: 'dead', cause: 'the machine is not responding' };
  if (isEnding(pod))
    return { ...verdict, state: 'draining', cause: 'the old pod is still finishing its work' };
  const failure = failureOf(pod, containers);
  const isReady = isTrue(status.conditions, 'Ready');
  if (!isNew(pod)) {
    // Even unhealthy ones are replaced.
    return { ...verdict, state: 'old', cause: failure ?? (isReady ? '' : 'not ready') };
  }
  if (failure !== undefined) return { ...verdict, state: 'failed', cause: failure };
  if (isReady) return { ...verdict, state: 'ready', cause: '' };
  return { ...verdict, state: 'waiting', cause: waitsFor(pod, containers) };
}

function isEnding(pod: Pod | undefined): boolean {
  return pod?.metadata.deletionTimestamp !== undefined;
}

/** Restarts after which a pod counts as crashing before the kubelet reports it. */
const restartsOfCrashLoop = 3;

function failureOf({ status }: Pod, containers: readonly ContainerStatus[]): string | undefined {
  if (status.phase === 'Failed') return `${status.reason || 'failed'}: ${status.message}`;
  for (const container of containers) {
    const { image, state, lastState, restartCount } = container;
    const ended = state.terminated ?? lastState.terminated;
    const { reason = '', message = '' } = state.waiting ?? {};
    if (/^(ImagePullBackOff|InvalidImageName|ErrImageNeverPull)$/.test(reason)) {
      return `image ${image} cannot be pulled${message && `: ${message}`}`;
    }
    if (/^Create\w+Error$/.test(reason)) return `container ${container.name}: ${message || reason}`;
    // EX_CONFIG: it would fail again with the same files.
    if (ended?.exitCode === 78)
      return `the configuration was rejected (exit code 78)${says(ended.message)}`;
    if (reason === 'CrashLoopBackOff' || restartCount >= restartsOfCrashLoop) {
      const how = ended ? ` (${ended.reason || 'ended'}, exit ${ended.exitCode})` : '';
      return `keeps crashing${how}${says(ended?.message ?? '')}`;
    }
  }
  return undefined;
}

/** The end of a container's log is up to 2048 bytes. */
const longestQuote = 500;

function says(message: string): string {
  const text = message.trim();
  if (text === '') return '';
  return `: ${text.length > longestQuote ? `…${text.slice(-longestQuote)}` : text}`;
}

function waitsFor({ status, spec }: Pod, containers: readonly ContainerStatus[]): string {
  const unscheduled = status.conditions.find(
    ({ type, status: is }) => type === 'PodScheduled' && is === 'False',
  );
  if (unscheduled) return `not scheduled: ${unscheduled.message || unscheduled.reason}`;
  if (spec.nodeName === undefined) return 'not scheduled yet';
  const waiting = containers.find(({ state }) => state.waiting)?.state.waiting;
  if (waiting) return `starting: ${waiting.reason}${waiting.message && `: ${waiting.message}`}`;
  const ended = containers.find(({ state }) => state.terminated)?.state.terminated;
  if (ended) return `exited with ${ended.exitCode}, restarting`;
  return containers.length === 0
    ? 'the machine has not started the pod yet'
    : 'running, but not ready';
}

function nodeOf({ spec, metadata }: Pod): string {
  return spec.nodeName ?? `(${metadata.name})`;
}

function isTrue(conditions: readonly z.infer<typeof Condition>[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}
