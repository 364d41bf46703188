/** Decides which services, machines and equipment may connect to each other on k3s: network policies, with addresses from rack.yaml. */
import { namesOf } from '../formats/hosts.ts';
import type { Json, Rack } from '../rack/rack.ts';
import {
  jumphostServices,
  k3sPort,
  kubeletPort,
  nodePort,
  servicePorts,
} from '../schema/service-ports.ts';
import type { DerivedFile } from './derived-file.ts';
import { extraPortsOf } from './extra-ports.ts';
import { contains, merged, networkOf, networksOf, podNetwork, portsAt } from './networks.ts';

const dnsPort = 53;

/** Services with connections to equipment or machines. */
const equipmentClients = [
  'blackbox-exporter',
  'machine-state',
  'power-cycle-daemon',
  'prometheus',
  'router-backup',
];

/** By their names in `ports`; the others use TCP. */
const udpPorts: ReadonlySet<string> = new Set(['snmp', 'ipmi']);

const { port: tokenPort, metricsPort: metadataPort } = servicePorts['metadata-server'];

/**
 * Ports of the jumphost itself that services use. A port of a Service is that of its pod before policies apply, but while a unit
 * runs instead of the pod, it is one of the jumphost.
 */
const jumphostPorts: Readonly<Record<string, readonly number[]>> = {
  prometheus: [metadataPort, nodePort, k3sPort, kubeletPort],
  'machine-state': jumphostServices
    .filter((name) => name !== 'machine-state')
    .flatMap((name) => [servicePorts[name].port, servicePorts[name].metricsPort])
    .filter((port) => port !== tokenPort),
  'router-backup': [servicePorts['power-cycle-daemon'].port],
};

/**
 * For the namespace `skolo`. Its base denies all, and allows traffic between pods and to the internet. Policies do not
 * apply to the host network of the metadata server, nor to processes of the jumphost.
 */
export function networkPolicies(rack: Rack): DerivedFile[] {
  const jumphost = networkOf(rack.jumphost.address);
  const jumphostNames = namesOf(rack.jumphost, rack.network.domain);
  const everything = networksOf(rack);
  const readers = rack.access.anonymousRead;
  const equipment = [...rack.equipment.values()].flatMap(({ address }) =>
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
  // An empty list would allow everybody.
  const others = blocks(everything, [jumphost]);
  const toJumphost = (name: string, pods: Pods, ports: Json[]) =>
    policy(name, pods, {
      policyTypes: ['Egress'],
      egress: [{ to: blocks([jumphost]), ports }],
    });
  const policies: DerivedFile = {
    name: 'network-policies.yaml',
    about: 'Traffic between services and the rack. Rules between pods are in kube/base.',
    objects: [
      ingress('power-cycle-daemon', [...everything, ...readers]),
      ingress('router-backup', [jumphost, ...readers]),
      ingress('alert-to-pubsub', [jumphost]),
      ingress('machine-state', [jumphost, ...readers]),
      policy('to-rack', equipmentClients, {
        policyTypes: ['Egress'],
        egress: others.length === 0 ? [] : [{ to: others }],
      }),
      ...Object.entries(jumphostPorts).map(([service, ports]) =>
        toJumphost(`${service}-to-jumphost`, [service], ports.map(tcp)),
      ),
      ...portsAt(rack.alertmanager, [rack.jumphost.address, ...jumphostNames]).map((port) =>
        toJumphost('to-alertmanager', ['alert-to-pubsub', 'machine-state'], [tcp(port)]),
      ),
      ...portsOnJumphost(rack).map((ports) =>
        toJumphost('to-equipment-on-jumphost', equipmentClients, ports),
      ),
      toJumphost('to-metadata-server', { 'skolo/metadata-server': 'allowed' }, [tcp(tokenPort)]),
      // They use the jumphost's resolver, which may be the jumphost itself.
      toJumphost('to-jumphost-dns', { 'skolo/internet': 'allowed' }, [
        tcp(dnsPort),
        { port: dnsPort, protocol: 'UDP' },
      ]),
    ],
    use: 'resource',
  };
  const internet: DerivedFile = {
    name: 'to-internet.yaml',
    about:
      "Excludes the jumphost from pods' internet access, which would otherwise include its API server, kubelet and metadata server.",
    objects: [[{ op: 'add', path: '/spec/egress/0/to/0/ipBlock/except/-', value: jumphost }]],
    use: { kind: 'NetworkPolicy', name: '(prometheus-)?to-internet' },
  };
  // An IPv6 address cannot be an exception from IPv4.
  return [policies, ...(contains('0.0.0.0/0', jumphost) ? [internet] : [])];
}

/** Of equipment that the jumphost itself runs, such as FRR or an MQTT broker. Empty: there is none. */
function portsOnJumphost({ equipment, jumphost }: Rack): [Json[]] | [] {
  const own = [...equipment.values()].filter(({ address }) => address === jumphost.address);
  const ports = own.flatMap(({ transport, ports }) =>
    Object.entries(transport === 'mqtt' ? { mqtt: 1883, ...ports } : ports),
  );
  return ports.length === 0
    ? []
    : [ports.map(([name, port]) => ({ port, protocol: udpPorts.has(name) ? 'UDP' : 'TCP' }))];
}

/** Names of services, or labels. */
type Pods = string[] | { [label: string]: string };

function policy(name: string, pods: Pods, spec: { [key: string]: Json }): Json {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'skolo' },
    spec: {
      podSelector: Array.isArray(pods)
        ? { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values: pods }] }
        : { matchLabels: pods },
      ...spec,
    },
  };
}

function tcp(port: number): Json {
  return { port, protocol: 'TCP' };
}

/**
 * A rule without networks would allow everything. Excludes the pod network: kube/base contains its rules, and requests to another
 * address of the jumphost (such as 10.42.0.1) arrive from a pod of ServiceLB.
 */
function from(
  networks: readonly string[],
  port: number,
  protocol: 'TCP' | 'UDP',
): Json | undefined {
  const peers = blocks(networks, [podNetwork]);
  return peers.length === 0 ? undefined : { from: peers, ports: [{ port, protocol }] };
}

function blocks(networks: readonly string[], without: readonly string[] = []): Json[] {
  const outside = networks.filter((each) => !without.some((network) => contains(network, each)));
  return merged(outside).map((cidr) => {
    const except = without.filter((network) => contains(cidr, network));
    return { ipBlock: { cidr, ...(except.length > 0 && { except }) } };
  });
}
