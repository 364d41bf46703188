/** Ports are those that clients use, and no two pods claim one. */
import { agentsPort, type ServiceName, serviceNames, servicePorts } from '@skolo/rack';
import { z } from 'zod';
import { type Manifest, readKind, selects, type Workload, workloadsOf } from '../manifest.ts';
import { jumphostNode, mayRunOn, mayRunOnMachines } from './placement.ts';

const ServiceSpec = z.looseObject({
  spec: z.looseObject({
    type: z.string().default('ClusterIP'),
    externalTrafficPolicy: z.string().optional(),
    publishNotReadyAddresses: z.boolean().default(false),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          port: z.number(),
          targetPort: z.union([z.number(), z.string()]).optional(),
          protocol: z.string().default('TCP'),
          nodePort: z.number().optional(),
        }),
      )
      .default([]),
    selector: z.record(z.string(), z.string()).default({}),
  }),
});

/** Of 30000 to 32767, a 32nd is for those that are named. */
const endOfNamedNodePorts = 30_086;

/** Grafana's port in the testbed has always been this one. `skolo pi testbed up` names the Service to which Kubernetes has assigned it. */
const otherNodePorts = new Map([['Service testbed/grafana', 31_000]]);

/** Taken on the jumphost by k3s (API, kubelet and its own proxies) and by traefik. */
const jumphostPorts = new Map([
  ['443/TCP', 'traefik'],
  ['6443/TCP', 'k3s'],
  ['6444/TCP', 'k3s'],
  ['8472/UDP', 'flannel'],
  ['10248/TCP', 'kubelet'],
  ['10250/TCP', 'kubelet'],
  ['10256/TCP', 'kube-proxy'],
]);

/** The ports of the five services are those of @skolo/rack. */
export function servicePortProblems(objects: readonly Manifest[]): string[] {
  const workloads = workloadsOf(objects);
  const services = readKind(objects, 'Service', ServiceSpec);
  return serviceNames.flatMap((name) => {
    const workload = workloads.find((each) => each.name === name);
    if (!workload) return [`no workload ${name}`];
    const wanted = servicePorts[name];
    return [
      // Behind traefik it has another one.
      ...(name === 'metadata-server' && !workload.pod.hostNetwork
        ? []
        : portProblem(workload, 'http', wanted.port)),
      ...portProblem(workload, 'metrics', wanted.metricsPort),
      ...(isForTheRack(name) ? publicProblems(name, services) : []),
    ];
  });
}

function isForTheRack(name: ServiceName): boolean {
  return name !== 'metadata-server' && name !== 'swarming-client';
}

function portProblem({ title, pod }: Workload, name: string, wanted: number): string[] {
  const found = pod.containers
    .flatMap(({ ports }) => ports)
    .find((port) => port.name === name)?.containerPort;
  return found === wanted
    ? []
    : [`${title}: its port ${name} is ${found ?? 'not there'}, not ${wanted}`];
}

type Service = ReturnType<typeof readKind<z.infer<typeof ServiceSpec>>>[number];

function publicProblems(name: ServiceName, services: readonly Service[]): string[] {
  const { port, metricsPort } = servicePorts[name];
  const own = services.find((service) => service.name === name);
  const metrics = services.find((service) => service.name === `${name}-metrics`);
  return [
    ...(own?.read.spec.ports.some((each) => each.port === port)
      ? []
      : [`Service ${name}: no port ${port}`]),
    ...(metrics?.read.spec.ports.some((each) => each.port === metricsPort)
      ? []
      : [`Service ${name}-metrics: no port ${metricsPort}`]),
  ];
}

/** Whoever the rack can reach sees callers' addresses, and shows no metrics. No Service has the name that bots ask for. */
export function publicServiceProblems(objects: readonly Manifest[]): string[] {
  return readKind(objects, 'Service', ServiceSpec).flatMap(({ title, name, read: { spec } }) => {
    const problems = [];
    if (name === 'metadata') {
      problems.push(
        `${title}: pods would find this instead of the metadata server, and have no address of their own behind it`,
      );
    }
    if (spec.selector['app.kubernetes.io/name'] === 'metadata-server') {
      // Without the internet connection it has no tokens and is not ready, and still gives machines their identity.
      if (!spec.publishNotReadyAddresses) {
        problems.push(
          `${title}: leads nowhere while the internet connection is down (publishNotReadyAddresses)`,
        );
      }
    }
    if (spec.type === 'NodePort' && spec.externalTrafficPolicy !== 'Local') {
      problems.push(`${title}: is open on every Pi (NodePort)`);
    }
    if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
      if (spec.externalTrafficPolicy !== 'Local') {
        problems.push(`${title}: callers lose their addresses; externalTrafficPolicy: Local`);
      }
      if (spec.ports.some(({ targetPort }) => targetPort === 'metrics')) {
        problems.push(`${title}: shows its metrics to the rack`);
      }
    }
    return problems;
  });
}

/** What the kube-proxy of a node does to whatever is for the port of a LoadBalancer: agents on nodes need a node port. */
export function agentsWayProblems(objects: readonly Manifest[]): string[] {
  const daemon = workloadsOf(objects).find(({ name }) => name === 'power-cycle-daemon');
  const nodePorts = readKind(objects, 'Service', ServiceSpec)
    .filter(({ read }) => read.spec.externalTrafficPolicy === 'Local')
    .filter(({ read }) => selects({ matchLabels: read.spec.selector }, daemon?.labels ?? {}))
    .flatMap(({ read }) => read.spec.ports)
    .filter(({ targetPort }) => targetPort === 'http')
    .flatMap(({ nodePort }) => (nodePort === undefined ? [] : [`${nodePort}`]));
  return workloadsOf(objects)
    .filter(({ name }) => daemon !== undefined && name.startsWith('swarming-client'))
    .flatMap(({ title, pod }) =>
      pod.containers
        .map(({ env }) => env.find(({ name }) => name === 'SKOLO_POWER_CYCLE_PORT')?.value)
        .filter((port) => port !== `${agentsPort}` || !nodePorts.includes(port))
        .map((port) => `${title}: asks the power-cycle daemon at ${port ?? 'no node port'}`),
    );
}

/**
 * A node port that a manifest names is below those that Kubernetes assigns to other Services, such as each LoadBalancer.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions
 */
export function nodePortProblems(objects: readonly Manifest[]): string[] {
  return readKind(objects, 'Service', ServiceSpec).flatMap(({ title, read }) =>
    read.spec.ports
      .filter(({ nodePort = 0 }) => nodePort >= endOfNamedNodePorts)
      .filter(({ nodePort }) => nodePort !== otherNodePorts.get(title))
      .map(
        ({ nodePort }) => `${title}: node port ${nodePort} may be taken; 30000 to 30085 are free`,
      ),
  );
}

/** On one node a port belongs to one: pods on the host's network, Services of the jumphost, k3s itself. */
export function hostPortProblems(objects: readonly Manifest[]): string[] {
  const workloads = workloadsOf(objects);
  const onHost = workloads.filter(({ pod }) => pod.hostNetwork);
  const services = readKind(objects, 'Service', ServiceSpec)
    .filter(({ read }) => read.spec.type === 'LoadBalancer')
    .flatMap(({ title, read }) =>
      read.spec.ports.map(({ port, protocol }) => ({ title, port: `${port}/${protocol}` })),
    );
  return [
    ...twice([
      ...[...jumphostPorts].map(([port, title]) => ({ title, port })),
      ...services,
      ...onHost.filter((workload) => mayRunOn(workload, jumphostNode)).flatMap(portsOf),
    ]),
    ...twice(
      onHost
        .filter(mayRunOnMachines)
        .filter(({ name }) => name !== 'swarming-client-canary')
        .flatMap(portsOf),
    ),
  ];
}

function portsOf({ title, pod }: Workload): { title: string; port: string }[] {
  return pod.containers.flatMap(({ ports }) =>
    ports.map(({ containerPort, protocol }) => ({ title, port: `${containerPort}/${protocol}` })),
  );
}

function twice(all: readonly { title: string; port: string }[]): string[] {
  const owners = new Map<string, string>();
  return all.flatMap(({ title, port }) => {
    const owner = owners.get(port);
    owners.set(port, owner ?? title);
    return owner === undefined ? [] : [`port ${port}: ${owner} and ${title}`];
  });
}
