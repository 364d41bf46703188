/** Network policies between services and the rack, with addresses of rack.yaml. */
import type { Json, Rack } from '../rack.ts';
import { servicePorts } from '../service-ports.ts';
import type { DerivedFile } from './derived-file.ts';
import { extraPortsOf } from './extra-ports.ts';
import { contains, merged, networkOf, networksOf, podNetwork } from './networks.ts';

/** Services with connections to equipment or machines. */
const equipmentClients = [
  'blackbox-exporter',
  'machine-state',
  'power-cycle-daemon',
  'prometheus',
  'router-backup',
];
/** Clients of the metadata server. */
const tokenClients = ['alert-to-pubsub', 'router-backup'];

/**
 * For the namespace `skolo`. Its base denies all, and allows traffic between pods and to the internet. Policies do not
 * apply to the host network of the metadata server, nor to processes of the jumphost.
 */
export function networkPolicies(rack: Rack): DerivedFile {
  const jumphost = networkOf(rack.jumphost.address);
  const everything = networksOf(rack);
  const readers = rack.access.anonymousRead;
  const equipment = [...rack.infrastructure.values()].flatMap(({ address }) =>
    address === undefined ? [] : [networkOf(address)],
  );
  const extra = extraPortsOf(rack);
  const extraRules = (service: string) =>
    extra
      .filter((port) => port.service === service)
      .map(({ port, protocol, allow }) => from(allow ?? equipment, port, protocol))
      .filter((rule) => rule !== undefined);
  const ingress = (
    service: 'power-cycle-daemon' | 'router-backup' | 'alert-to-pubsub' | 'machine-state',
    networks: string[],
  ) =>
    policy(`${service}-from-rack`, [service], {
      policyTypes: ['Ingress'],
      ingress: [from(networks, servicePorts[service].port, 'TCP'), ...extraRules(service)].filter(
        (rule) => rule !== undefined,
      ),
    });
  return {
    name: 'network-policies.yaml',
    about: 'Traffic between services and the rack. Rules between pods are in kube/base.',
    objects: [
      ingress('power-cycle-daemon', [...everything, ...readers]),
      ingress('router-backup', [jumphost, ...readers]),
      ingress('alert-to-pubsub', [jumphost]),
      ingress('machine-state', [jumphost, ...readers]),
      policy('to-rack', equipmentClients, {
        policyTypes: ['Egress'],
        egress: [{ to: blocks(everything) }],
      }),
      policy('to-metadata-server', tokenClients, {
        policyTypes: ['Egress'],
        egress: [
          {
            to: blocks([jumphost]),
            ports: [{ port: servicePorts['metadata-server'].port, protocol: 'TCP' }],
          },
        ],
      }),
    ],
    use: 'resource',
  };
}

function policy(name: string, services: string[], spec: { [key: string]: Json }): Json {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'skolo' },
    spec: {
      podSelector: {
        matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: services }],
      },
      ...spec,
    },
  };
}

/**
 * A rule without networks would allow all. Excludes the network of pods: kube/base has their rules, and requests to another
 * address of the jumphost (such as 10.42.0.1) arrive from a pod of ServiceLB.
 */
function from(
  networks: readonly string[],
  port: number,
  protocol: 'TCP' | 'UDP',
): Json | undefined {
  const outside = networks.filter((network) => !contains(podNetwork, network));
  return outside.length === 0
    ? undefined
    : { from: blocks(outside, [podNetwork]), ports: [{ port, protocol }] };
}

function blocks(networks: readonly string[], without: readonly string[] = []): Json[] {
  return merged(networks).map((cidr) => {
    const except = without.filter((network) => contains(cidr, network));
    return { ipBlock: { cidr, ...(except.length > 0 && { except }) } };
  });
}
