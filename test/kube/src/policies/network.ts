/** NetworkPolicies as k3s enforces them: which connections of pods pass at both of their ends? */
import { BlockList, isIPv6 } from 'node:net';
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
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
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

/** A connection from a pod to a port of another one, or of an address outside of the pods' network. */
export interface Flow {
  from: string;
  to: string | { address: string };
  port: number;
}

/** Of some pod of the jumphost; others are in the same network. */
const podAddress = '10.42.0.9';

/** Ways that no configuration names: rack.yaml finds services by the jumphost's address, which leads to their pods. */
const byAddress: readonly Flow[] = [
  { from: 'router-backup', to: 'power-cycle-daemon', port: 9210 },
  { from: 'machine-state', to: 'power-cycle-daemon', port: 9210 },
  { from: 'machine-state', to: 'router-backup', port: 8003 },
  { from: 'machine-state', to: 'alert-to-pubsub', port: 8001 },
  { from: 'machine-state', to: 'alertmanager', port: 9093 },
  { from: 'alert-to-pubsub', to: 'alertmanager', port: 9093 },
];

/** Connections that are needed and closed: what a configuration names by the cluster's DNS, and what is found by address. */
export function flowProblems(objects: readonly Manifest[]): string[] {
  const workloads = workloadsOf(objects);
  const here = new Set<unknown>(workloads.map(({ name }) => name));
  return [...configuredFlows(objects), ...byAddress]
    .filter(({ from, to }) => here.has(from) && here.has(to))
    .filter((flow) => !isOpen(objects, flow))
    .map(({ from, to, port }) => `${from} cannot reach ${to} at port ${port}`);
}

/** Whether a pod reaches a port of another one, or of an address; pods on the host's network are beyond all policies. */
export function isOpen(objects: readonly Manifest[], { from, to, port }: Flow): boolean {
  const named = (name: string) => workloadsOf(objects).find((each) => each.name === name);
  const source = named(from);
  if (typeof to !== 'string') {
    return source !== undefined && mayPass(objects, 'Egress', source, to.address, { port });
  }
  const target = named(to);
  if (!source || !target) return false;
  const names = target.pod.containers
    .flatMap(({ ports }) => ports)
    .filter(({ containerPort }) => containerPort === port)
    .flatMap(({ name }) => name ?? []);
  const address = target.pod.hostNetwork ? jumphostAddress(objects) : target;
  return (
    mayPass(objects, 'Egress', source, address, { port, names }) &&
    mayPass(objects, 'Ingress', target, source, { port, names })
  );
}

const RackFacts = z.looseObject({
  data: z.looseObject({ SKOLO_JUMPHOST_ADDRESS: z.string() }),
});

/** The only computer whose pods on the host's network others connect to. */
export function jumphostAddress(objects: readonly Manifest[]): string {
  const facts = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('rack-facts'),
  );
  return RackFacts.parse(facts).data.SKOLO_JUMPHOST_ADDRESS;
}

/** Whether the policies of `own` let it connect to `other`: a pod, or an address outside of the pods' network. */
function mayPass(
  objects: readonly Manifest[],
  direction: 'Ingress' | 'Egress',
  own: Workload,
  other: Workload | string,
  { port, names = [] }: { port: number; names?: readonly string[] },
): boolean {
  if (own.pod.hostNetwork) return true;
  const policies = readKind(objects, 'NetworkPolicy', NetworkPolicy)
    .filter(({ namespace }) => namespace === own.namespace)
    .map(({ read }) => read.spec)
    .filter(({ policyTypes }) => policyTypes.includes(direction))
    .filter(({ podSelector }) => selects(podSelector, own.labels));
  if (policies.length === 0) return true;
  return policies
    .flatMap(({ ingress, egress }) =>
      direction === 'Ingress'
        ? ingress.map(({ from, ports }) => ({ peers: from, ports }))
        : egress.map(({ to, ports }) => ({ peers: to, ports })),
    )
    .some(
      ({ peers = [], ports = [] }) =>
        // An empty list is no limit.
        (peers.length === 0 || peers.some((peer) => isPeer(peer, own, other))) &&
        (ports.length === 0 ||
          ports.some(
            (each) =>
              each.protocol === 'TCP' &&
              (each.port === undefined || each.port === port || names.includes(String(each.port))),
          )),
    );
}

function isPeer(peer: z.infer<typeof Peer>, own: Workload, other: Workload | string): boolean {
  if (peer.ipBlock) {
    const { cidr, except } = peer.ipBlock;
    const address = typeof other === 'string' ? other : podAddress;
    return isWithin(address, [cidr]) && !isWithin(address, except);
  }
  if (typeof other === 'string') return false;
  const namespaceFits = peer.namespaceSelector
    ? selects(peer.namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace })
    : other.namespace === own.namespace;
  return namespaceFits && !other.pod.hostNetwork && selects(peer.podSelector ?? {}, other.labels);
}

function isWithin(address: string, networks: readonly string[]): boolean {
  const list = new BlockList();
  const family = (text: string) => (isIPv6(text) ? 'ipv6' : 'ipv4');
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    list.addSubnet(base, Number(bits), family(base));
  }
  return list.check(address, family(address));
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
