/** Decides whether a cluster's network works, tested from a pod on each node. */

import { count, errorText, type Finding, inParallel, pause, shellWord } from '@skolo/base';
import type { ClusterNode } from '@skolo/setup/k3s';
import { z } from 'zod';
import type { Kubectl } from '../kubectl.ts';
import { finding } from './finding.ts';
import {
  ingressHost,
  namespace,
  port,
  probeImage,
  probeManifests,
  storagePod,
} from './probe-manifests.ts';

interface ProbeDeps {
  kubectl: Kubectl;
  nodes: readonly ClusterNode[];
  /** Image of the pods; default: one that the cluster contains. */
  image?: string;
  /** Time for all pods to become ready, in milliseconds. */
  readyMs: number;
  report(text: string): void;
  signal: AbortSignal;
}

/** The result of one test by a pod. */
export interface Tried {
  /** Node of the pod. */
  from: string;
  what: 'exec' | 'dns' | 'pod' | 'service' | 'ingress';
  /** A node, or an address. */
  to: string;
  isOk: boolean;
  text: string;
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.object({ nodeName: z.string().default('') }),
      status: z.object({
        podIP: z.string().default(''),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        containerStatuses: z
          .array(
            z.object({
              state: z.object({
                waiting: z
                  .object({ reason: z.string().default(''), message: z.string().default('') })
                  .optional(),
              }),
            }),
          )
          .default([]),
      }),
    }),
  ),
});
const Service = z.object({ spec: z.object({ clusterIP: z.string() }) });
const Names = z.object({
  items: z.array(
    z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }) }),
  ),
});

/** Creates the pods, runs the tests from each, and removes them. */
export async function probes(deps: ProbeDeps): Promise<Finding[]> {
  const { kubectl, report, signal } = deps;
  const remove = async (how: string) => {
    // Without it, pods on a dead node stay, and so does the namespace.
    const now = ['--force', '--grace-period=0', '--wait=false'];
    await kubectl.run(['delete', 'pods', '--all', '-n', namespace, ...now]);
    await kubectl.run(['delete', 'namespace', namespace, '--ignore-not-found', how], {
      deadlineMs: 120_000,
    });
  };
  try {
    report('removing objects from a previous run');
    await remove('--timeout=90s');
    return await probe(deps);
  } catch (error) {
    signal.throwIfAborted();
    return [finding('probe pods', 'unchecked', errorText(error))];
  } finally {
    // After Ctrl-C nothing can be sent any more, so the next run removes it.
    await remove('--wait=false').catch(() => undefined);
  }
}

async function probe(deps: ProbeDeps): Promise<Finding[]> {
  const { kubectl, nodes, report } = deps;
  const image = deps.image ?? (await probeImage(kubectl));
  const [ingresses, storage] = await Promise.all([
    kubectl.get(Names, ['ingressclasses']),
    kubectl.get(Names, ['storageclasses']),
  ]);
  const hasIngress = ingresses.items.length > 0;
  const hasStorage = storage.items.some(
    ({ metadata }) =>
      metadata.annotations['storageclass.kubernetes.io/is-default-class'] === 'true',
  );
  report(`starting a pod with ${image} on each node`);
  await kubectl.run(['apply', '-f', '-'], {
    input: probeManifests(image, { hasIngress, hasStorage }),
  });
  const wanted = nodes.length + (hasStorage ? 1 : 0);
  const pods = await readyPods(deps, wanted);
  const { spec } = await kubectl.get(Service, ['service', 'probe', '-n', namespace]);
  const ready = pods.flatMap(({ name, node, address, isReady }) =>
    isReady && node !== undefined ? [{ name, node, address }] : [],
  );
  const targets = {
    pods: ready.map(({ node, address }) => ({ name: node, address })),
    service: spec.clusterIP,
    ingress: hasIngress ? nodes.flatMap(({ address }) => address ?? []).slice(0, 1) : [],
  };
  report(
    `testing DNS, ${ready.length * (ready.length - 1)} pairs of nodes${hasIngress ? ', a service and the ingress' : ' and a service'}`,
  );
  const tried = await inParallel(ready, 4, ({ name, node }) =>
    tryFrom(kubectl, name, node, targets),
  );
  return [
    ...judgePods(nodes, pods, image),
    ...judgeTried(tried.flat(), hasIngress),
    hasStorage
      ? await tryStorage(
          kubectl,
          pods.find(({ name }) => name === storagePod),
        )
      : finding('storage', 'skipped', 'the cluster has no default StorageClass'),
  ];
}

interface ProbePod {
  name: string;
  /** Undefined: it does not belong to a DaemonSet. */
  node: string | undefined;
  address: string;
  isReady: boolean;
  why: string;
}

/** The pods that exist when all are ready or the time is up. */
async function readyPods(
  { kubectl, readyMs, signal }: ProbeDeps,
  wanted: number,
): Promise<ProbePod[]> {
  const end = performance.now() + readyMs;
  for (;;) {
    const { items } = await kubectl.get(Pods, ['pods', '-n', namespace]);
    const pods = items.map(({ metadata, spec, status }): ProbePod => {
      const waiting = status.containerStatuses.flatMap(({ state }) => state.waiting ?? []);
      const isOfSet = metadata.labels.app === 'probe';
      return {
        name: metadata.name,
        node: isOfSet ? spec.nodeName : undefined,
        address: status.podIP,
        isReady: status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'),
        why: waiting.map(({ reason, message }) => `${reason} ${message}`.trim()).join('; '),
      };
    });
    const isAll = pods.length >= wanted && pods.every(({ isReady }) => isReady);
    if (isAll || performance.now() > end) return pods;
    await pause(1000, signal);
  }
}

interface Targets {
  pods: readonly { name: string; address: string }[];
  service: string;
  ingress: readonly string[];
}

/** A script for busybox's shell. Each line of its output is the result of one test. */
function probeScript({ pods, service, ingress }: Targets): string {
  const get = (address: string) => `wget -q -T 5 -O /dev/null http://${urlHost(address)}:${port}/`;
  const lines = [
    'try dns cluster nslookup -type=a kubernetes.default.svc.cluster.local',
    `try service ${service} ${get(service)}`,
    ...pods.map(({ name, address }) => `try pod ${shellWord(name)} ${get(address)}`),
    ...ingress.map(
      (address) =>
        `try ingress ${address} wget -q -T 5 -O /dev/null --header 'Host: ${ingressHost}' http://${urlHost(address)}/`,
    ),
  ];
  return `try() {
  what=$1 to=$2; shift 2
  said=$(timeout 10 "$@" 2>&1) && end=ok || end=fail
  echo "$what $to $end $(echo "$said" | tail -n 1)"
}
${lines.map((line) => `${line} &`).join('\n')}
wait`;
}

function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function tryFrom(
  kubectl: Kubectl,
  pod: string,
  node: string,
  targets: Targets,
): Promise<Tried[]> {
  const others = { ...targets, pods: targets.pods.filter(({ name }) => name !== node) };
  const { code, stdout, stderr } = await kubectl.try(
    ['exec', '-n', namespace, pod, '--', 'sh', '-c', probeScript(others)],
    { deadlineMs: 60_000 },
  );
  const tried = stdout.split('\n').flatMap((line): Tried[] => {
    const [, what, to = '', end, text = ''] =
      /^(dns|pod|service|ingress) (\S+) (ok|fail) ?(.*)$/.exec(line) ?? [];
    if (what !== 'dns' && what !== 'pod' && what !== 'service' && what !== 'ingress') return [];
    return [{ from: node, what, to, isOk: end === 'ok', text }];
  });
  if (tried.length > 0) return tried;
  const text = `exit code ${code}: ${stderr.split('\n').at(-1) || 'no output'}`;
  return [{ from: node, what: 'exec', to: pod, isOk: false, text }];
}

function judgePods(
  nodes: readonly ClusterNode[],
  pods: readonly ProbePod[],
  image: string,
): Finding[] {
  const check = 'probe pods';
  const wrong = nodes.flatMap(({ name, isReady }): Finding[] => {
    const pod = pods.find(({ node }) => node === name);
    if (pod?.isReady || !isReady) return [];
    const [found, advice] =
      pod === undefined
        ? ['no pod was scheduled on this node', `run kubectl describe node ${name} to see why`]
        : [
            pod.why || 'the pod has not become ready',
            `if the image ${image} is the cause, specify another one with --image`,
          ];
    return [finding(check, 'differs', found, { where: [name], advice })];
  });
  return wrong.length > 0 ? wrong : [finding(check, 'ok', `${pods.length} running ${image}`)];
}

/** What it means if a pod cannot reach it, or cannot be reached, and what to do. */
const faults = {
  exec: [
    'no tests ran on this node',
    'check that kubelet is running and that the server can reach its TCP port 10250',
  ],
  dns: [
    'cluster DNS is not responding to pods on this node',
    'check that coredns is running (kubectl -n kube-system get pods -l k8s-app=kube-dns), and that UDP port 8472 is open between the nodes',
  ],
  service: [
    'service addresses are unreachable from this node',
    "check kube-proxy's iptables rules and log (for k3s, journalctl -u k3s or k3s-agent)",
  ],
  ingress: [
    'the ingress is not responding on this node',
    'check that its controller is running (traefik on k3s; kubectl -n kube-system get pods), and that no other program uses port 80',
  ],
} as const;

/** One line for each fault instead of each pair, because an unreachable node is one fault. */
export function judgeTried(tried: readonly Tried[], hasIngress: boolean): Finding[] {
  const froms = [...new Set(tried.map(({ from }) => from))];
  const of = (what: Tried['what']) => tried.filter((each) => each.what === what);
  const simple = (check: string, what: keyof typeof faults): Finding => {
    const own = of(what);
    const failed = own.filter(({ isOk }) => !isOk);
    const [first] = failed;
    if (first !== undefined) {
      const where = failed.map(({ from }) => from);
      const [means, advice] = faults[what];
      return finding(check, 'differs', `${means}: ${first.text || 'no response'}`, {
        where,
        advice,
      });
    }
    return own.length === 0
      ? finding(check, 'unchecked', 'no pod could run this test')
      : finding(check, 'ok', `from ${count(own.length, 'node')}`);
  };
  return [
    ...(of('exec').length > 0 ? [simple('kubectl exec', 'exec')] : []),
    simple('DNS', 'dns'),
    ...pairs(of('pod'), froms),
    simple('service', 'service'),
    hasIngress
      ? simple('ingress', 'ingress')
      : finding('ingress', 'skipped', 'the cluster has no ingress class'),
  ];
}

function pairs(tried: readonly Tried[], froms: readonly string[]): Finding[] {
  const check = 'pod to pod';
  const failed = tried.filter(({ isOk }) => !isOk);
  if (tried.length === 0)
    return [finding(check, 'skipped', 'fewer than two pods could run this test')];
  if (failed.length === 0) return [finding(check, 'ok', `${tried.length} pairs`)];
  const isAlone = (name: string) => {
    const own = tried.filter(({ from, to }) => from === name || to === name);
    return own.length > 0 && own.every(({ isOk }) => !isOk);
  };
  if (failed.length === tried.length) {
    const text = `none of the ${tried.length} pairs of nodes can communicate: ${failed[0]?.text || 'no response'}`;
    const advice =
      'open UDP port 8472 (VXLAN) between all nodes, and check that each has a flannel.1 interface (ip link)';
    return [finding(check, 'differs', text, { advice })];
  }
  const alone = froms.length > 2 ? froms.filter(isAlone) : [];
  const others = failed.filter(({ from, to }) => !alone.includes(from) && !alone.includes(to));
  const cutOff = 'pods on this node cannot communicate with other nodes';
  const advice =
    'open UDP port 8472 (VXLAN) on the node, and check that it has a flannel.1 interface (ip link)';
  return [
    ...alone.map((name) => finding(check, 'differs', cutOff, { where: [name], advice })),
    ...others.map(({ from, to, text }) => {
      const what = `from ${from} to ${to}: ${text || 'no response'}`;
      const advice = 'check routes and UDP 8472 on both nodes';
      return finding(check, 'differs', what, { where: [from, to], advice });
    }),
  ];
}

async function tryStorage(kubectl: Kubectl, pod: ProbePod | undefined): Promise<Finding> {
  const check = 'storage';
  if (!pod?.isReady) {
    const why = pod?.why || 'pending';
    const advice = 'run kubectl get events -A for details';
    return finding(check, 'differs', `a pod with a volume claim is not starting (${why})`, {
      advice,
    });
  }
  const script = 'exec 2>&1; echo skolo > /data/probe && sync && cat /data/probe';
  const command = ['exec', '-n', namespace, storagePod, '--', 'sh', '-c', script];
  const { stdout, stderr } = await kubectl.try(command);
  const said = stdout.trim();
  if (said === 'skolo') return finding(check, 'ok', 'a volume was claimed, written and read');
  return said === ''
    ? finding(check, 'differs', `kubectl exec failed: ${stderr}`)
    : finding(check, 'differs', `writing to or reading from the claimed volume failed: ${said}`);
}
