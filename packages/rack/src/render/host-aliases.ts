/** Names of the jumphost for pods, because the rack's DNS may be down, and cluster DNS does not contain them. */
import { hostsOf, namesOf } from '../formats/hosts.ts';
import type { Rack } from '../rack/rack.ts';
import { serviceNames } from '../schema/service-ports.ts';
import { type DerivedFile, podPatch } from './derived-file.ts';

/** The metadata server does not connect to any service. */
const clients = serviceNames.filter((name) => name !== 'metadata-server').sort();

/** Lines of /etc/hosts for clients of services on the jumphost. */
export function hostAliases(rack: Rack): DerivedFile {
  const { address } = rack.jumphost;
  const jumphost = hostsOf(rack).slice(0, 1);
  const hostnames = jumphost.flatMap((host) => namesOf(host, rack.network.domain));
  return {
    name: 'host-aliases.yaml',
    about: 'All names of the jumphost, for pods that connect to it.',
    objects: [podPatch('any', { hostAliases: [{ ip: address, hostnames }] })],
    use: {
      kind: 'Deployment|DaemonSet',
      labelSelector: `app.kubernetes.io/name in (${clients.join(',')})`,
    },
  };
}
