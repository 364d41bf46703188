/** Who may reach the services from the rack, and what of the rack they may reach: addresses that only rack.yaml knows. */
import { hostsOf } from '../formats/hosts.ts';
import type { Json, Rack } from '../rack.ts';
import { servicePorts } from '../service-ports.ts';
import type { DerivedFile } from './derived-file.ts';
import { extraPortsOf } from './extra-ports.ts';
import { contains, merged, networkOf, podNetwork } from './networks.ts';

/** Who speaks with equipment or machines. */
const speakers = ['blackbox-exporter', 'power-cycle-daemon', 'prometheus', 'router-backup'];
/** Who asks the metadata server for tokens. */
const tokenUsers = ['alert-to-pubsub', 'router-backup'];

/**
 * For the namespace `skolo`, whose base denies everything, allows pods what they want of each other, and the way out. The
 * metadata server is on the host network, where no policy reaches; processes of the jumphost itself always get through.
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
    service: 'power-cycle-daemon' | 'router-backup' | 'alert-to-pubsub',
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
    about:
      'Who reaches the services from the rack, and what of the rack they reach. What pods may among themselves is in kube/base.',
    objects: [
      ingress('power-cycle-daemon', [...everything, ...readers]),
      ingress('router-backup', [jumphost, ...readers]),
      ingress('alert-to-pubsub', [jumphost]),
      policy('to-rack', speakers, {
        policyTypes: ['Egress'],
        egress: [{ to: blocks(everything) }],
      }),
      policy('to-metadata-server', tokenUsers, {
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
 * A rule without networks would allow all of them. Never from the pods' network: pods are named in kube/base, and whoever goes to
 * another address of the jumphost than its own (10.42.0.1, say) comes out of a pod of ServiceLB, with an address there.
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

/** The subnet, which every address is in; without one, the addresses. */
function networksOf(rack: Rack): string[] {
  const { subnet } = rack.network;
  return subnet === undefined ? hostsOf(rack).map(({ address }) => networkOf(address)) : [subnet];
}
