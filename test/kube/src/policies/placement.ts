/** What belongs on the jumphost is there and stays there; agents are everywhere else. */
import { type Manifest, type PodSpec, selects, type Workload, workloadsOf } from '../manifest.ts';
import { type Exception, exceptions, withoutExceptions } from './exceptions.ts';

const jumphost = 'node-restriction.kubernetes.io/skolo-jumphost';
const controlPlane = 'node-role.kubernetes.io/control-plane';
/** Taints of a node that may be the only jumphost. `NoExecute` ends pods, `NoSchedule` lets none in. */
const troubles = [
  { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
  { key: controlPlane, effect: 'NoSchedule' },
];
const pressures = ['disk', 'memory', 'pid'].map((what) => ({
  key: `node.kubernetes.io/${what}-pressure`,
  effect: 'NoSchedule',
}));
/** Priorities that a kubelet under pressure neither evicts nor rejects. Of the others it rejects each one that is scheduled there. */
const critical = new Set(['system-cluster-critical', 'system-node-critical']);

/** The jumphost, by its labels. */
export const jumphostNode = node({ [jumphost]: 'true', [controlPlane]: 'true' });
/** Either label selects it. */
const jumphosts = [node({ [jumphost]: 'true' }), node({ [controlPlane]: 'true' }), jumphostNode];
/** Whatever else may be a node. */
const machines = [
  node({ 'kubernetes.io/arch': 'arm64' }),
  node({ 'kubernetes.io/arch': 'arm' }),
  node({}),
  node({ 'node-restriction.kubernetes.io/skolo-channel': 'canary' }),
];

function node(labels: Record<string, string>): Record<string, string> {
  return { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...labels };
}

/** Whether a node with these labels may get its pods. */
export function mayRunOn({ pod }: Workload, labels: Record<string, string>): boolean {
  const terms =
    pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    selects({ matchLabels: pod.nodeSelector }, labels) &&
    (terms === undefined || terms.some((term) => selects(term, labels)))
  );
}

/** Whether a Pi may get its pods. */
export function mayRunOnMachines(workload: Workload): boolean {
  return machines.some((labels) => mayRunOn(workload, labels));
}

/** Each workload is for the jumphost or for machines, by labels that no kubelet gives itself. */
export function placementProblems(
  objects: readonly Manifest[],
  allowed: readonly Exception[] = exceptions,
): string[] {
  const workloads = workloadsOf(objects);
  const everywhere = workloads.flatMap((workload) => {
    const onJumphost = jumphosts.some((labels) => mayRunOn(workload, labels));
    if (!mayRunOnMachines(workload)) {
      return onJumphost ? [] : [{ ...workload, what: 'runs nowhere' }];
    }
    if (!onJumphost) return [];
    return [{ ...workload, what: 'runs on every node' }];
  });
  return [
    ...withoutExceptions(everywhere, allowed),
    ...workloads
      .filter((workload) => mayRunOnMachines(workload))
      .filter(({ pod }) => !critical.has(pod.priorityClassName ?? ''))
      .map(({ title }) => `${title}: a machine whose disk is nearly full evicts it`),
    ...workloads
      .filter((workload) => !mayRunOnMachines(workload))
      .flatMap((workload) => stayProblems(workload, allowed)),
    ...overlaps(workloads),
  ];
}

/** On the only jumphost there is no better node to go to. */
function stayProblems(workload: Workload, allowed: readonly Exception[]): string[] {
  const { title, pod } = workload;
  const chosen =
    pod.nodeSelector[jumphost] === 'true' ? [] : [`${title}: no nodeSelector ${jumphost}`];
  const priority = pod.priorityClassName === undefined ? [`${title}: no priorityClassName`] : [];
  return [
    ...chosen,
    ...priority,
    ...troubles
      .filter((taint) => !tolerates(pod, taint))
      .map(({ key }) => `${title}: does not tolerate ${key} for ever`),
    ...pressureProblems(workload, allowed),
  ];
}

/** A Deployment whose pods are scheduled where the kubelet rejects them makes new ones without end. */
function pressureProblems({ title, name, pod }: Workload, allowed: readonly Exception[]): string[] {
  const tolerated = pressures.map((taint) => tolerates(pod, taint));
  if (critical.has(pod.priorityClassName ?? '')) {
    const found = tolerated.includes(false)
      ? [{ title, name, what: 'gives way under pressure' }]
      : [];
    return withoutExceptions(found, allowed);
  }
  const [disk, , pid] = tolerated;
  return disk || pid ? [`${title}: tolerates a pressure under which the kubelet rejects it`] : [];
}

function tolerates({ tolerations }: PodSpec, taint: { key: string; effect: string }): boolean {
  return tolerations.some(
    ({ key, operator, effect, tolerationSeconds }) =>
      operator === 'Exists' &&
      (key === undefined || key === taint.key) &&
      (effect === undefined || effect === taint.effect) &&
      tolerationSeconds === undefined,
  );
}

/** The stable agents and the canary share no node. */
function overlaps(workloads: readonly Workload[]): string[] {
  const agents = workloads.filter(({ name }) => name.startsWith('swarming-client'));
  return machines.flatMap((labels) => {
    const found = agents.filter((agent) => mayRunOn(agent, labels));
    return agents.length === 0 || found.length === 1
      ? []
      : [`a machine with the labels ${JSON.stringify(labels)} has ${found.length} agents`];
  });
}
