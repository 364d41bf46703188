/** NetworkPolicies as k3s enforces them between pods: does every connection that is needed pass at both of its ends? */
import { z } from 'zod';
import {
  type Manifest,
  readKind,
  Selector,
  selects,
  type Workload,
  workloadsOf,
} from '../manifest.ts';

const Peer = z.looseObject({
  podSelector: Selector.optional(),
  namespaceSelector: Selector.optional(),
  ipBlock: z.looseObject({ cidr: z.string() }).optional(),
});
const Port = z.looseObject({
  port: z.union([z.number(), z.string()]).optional(),
  protocol: z.string().default('TCP'),
});
const NetworkPolicy = z.looseObject({
  spec: z.looseObject({
    podSelector: Selector,
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
    ingress: z
      .array(z.looseObject({ from: z.array(Peer).optional(), ports: z.array(Port).optional() }))
      .default([]),
    egress: z
      .array(z.looseObject({ to: z.array(Peer).optional(), ports: z.array(Port).optional() }))
      .default([]),
  }),
});

/** A connection from one pod to a port of another. */
export interface Flow {
  from: string;
  to: string;
  port: number;
}

/** Ways that no configuration names: rack.yaml finds services by the jumphost's address, which leads to their pods. */
const byAddress: readonly Flow[] = [
  { from: 'router-backup', to: 'power-cycle-daemon', port: 9210 },
  { from: 'machine-state', to: 'power-cycle-daemon', port: 9210 },
  { from: 'machine-state', to: 'router-backup', port: 8003 },
  { from: 'machine-state', to: 'alert-to-pubsub', port: 8001 },
  { from: 'machine-state', to: 'alertmanager', port: 9093 },
];

/** Connections that are needed and closed: what a configuration names by the cluster's DNS, and what is found by address. */
export function flowProblems(objects: readonly Manifest[]): string[] {
  const workloads = workloadsOf(objects);
  const here = new Set(workloads.map(({ name }) => name));
  return [...configuredFlows(objects), ...byAddress]
    .filter(({ from, to }) => here.has(from) && here.has(to))
    .filter((flow) => !isOpen(objects, flow))
    .map(({ from, to, port }) => `${from} cannot reach ${to} at port ${port}`);
}

/** Whether one pod reaches a port of another; pods on the host's network are beyond all policies. */
export function isOpen(objects: readonly Manifest[], { from, to, port }: Flow): boolean {
  const [source, target] = [from, to].map((name) =>
    workloadsOf(objects).find((workload) => workload.name === name),
  );
  if (!source || !target) return false;
  return (
    mayPass(objects, 'Egress', source, target, port, target) &&
    mayPass(objects, 'Ingress', target, source, port, target)
  );
}

/** Whether the policies of `own` let it connect to `other`. */
function mayPass(
  objects: readonly Manifest[],
  direction: 'Ingress' | 'Egress',
  own: Workload,
  other: Workload,
  port: number,
  target: Workload,
): boolean {
  if (own.pod.hostNetwork) return true;
  const policies = readKind(objects, 'NetworkPolicy', NetworkPolicy)
    .filter(({ namespace }) => namespace === own.namespace)
    .map(({ read }) => read.spec)
    .filter(({ policyTypes }) => policyTypes.includes(direction))
    .filter(({ podSelector }) => selects(podSelector, own.labels));
  if (policies.length === 0) return true;
  const names = target.pod.containers
    .flatMap(({ ports }) => ports)
    .filter(({ containerPort }) => containerPort === port)
    .map(({ name }) => name);
  return policies
    .flatMap(({ ingress, egress }) =>
      direction === 'Ingress'
        ? ingress.map(({ from, ports }) => ({ peers: from, ports }))
        : egress.map(({ to, ports }) => ({ peers: to, ports })),
    )
    .some(
      ({ peers, ports }) =>
        (peers === undefined || peers.some((peer) => isPeer(peer, own, other))) &&
        (ports === undefined ||
          ports.some(
            (each) =>
              each.protocol === 'TCP' &&
              (each.port === undefined || each.port === port || names.includes(String(each.port))),
          )),
    );
}

/** An address is not asked about here: the host's network is the rack's, which derived policies open by address. */
function isPeer(peer: z.infer<typeof Peer>, own: Workload, other: Workload): boolean {
  if (peer.ipBlock) return other.pod.hostNetwork;
  const namespaceFits = peer.namespaceSelector
    ? selects(peer.namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === own.namespace;
  return namespaceFits && !other.pod.hostNetwork && selects(peer.podSelector ?? {}, other.labels);
}

/** Names of Services in the ConfigMaps that a pod mounts. */
function configuredFlows(objects: readonly Manifest[]): Flow[] {
  return workloadsOf(objects).flatMap((workload) =>
    workload.pod.volumes.flatMap(({ configMap }) =>
      objects
        .filter(
          ({ kind, metadata }) =>
            kind === 'ConfigMap' &&
            metadata.name === configMap?.name &&
            metadata.namespace === workload.namespace,
        )
        .flatMap((object) =>
          [...JSON.stringify(object).matchAll(/([a-z0-9-]+)\.[a-z0-9-]+\.svc:(\d+)/g)].map(
            ([, service = '', port]) => ({
              from: workload.name,
              to: podOf(objects, service) ?? service,
              port: Number(port),
            }),
          ),
        ),
    ),
  );
}

const ServiceSpec = z.looseObject({
  spec: z.looseObject({ selector: z.record(z.string(), z.string()).optional() }),
});

/** The workload behind a Service. */
function podOf(objects: readonly Manifest[], service: string): string | undefined {
  const selector = readKind(objects, 'Service', ServiceSpec).find(({ name }) => name === service)
    ?.read.spec.selector;
  if (selector === undefined) return undefined;
  return workloadsOf(objects).find(({ labels }) => selects({ matchLabels: selector }, labels))
    ?.name;
}
