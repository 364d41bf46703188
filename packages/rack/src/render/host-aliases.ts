/** The names of the jumphost, for pods that ask it by one: the rack's DNS may be away, and cluster DNS does not know it. */
import { hostsOf, namesOf } from '../formats/hosts.ts';
import type { Rack } from '../rack.ts';
import type { DerivedFile } from './derived-file.ts';

const askers = ['alert-to-pubsub', 'power-cycle-daemon', 'router-backup', 'swarming-client'];

/** Lines of /etc/hosts for whoever asks the metadata server, or another service of the jumphost. */
export function hostAliases(rack: Rack): DerivedFile {
  const { address } = rack.jumphost;
  const jumphost = hostsOf(rack).slice(0, 1);
  const hostnames = jumphost.flatMap((host) => namesOf(host, rack.network.domain));
  return {
    name: 'host-aliases.yaml',
    about: 'The jumphost by all of its names, in the pods that ask it.',
    objects: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'any' },
        spec: { template: { spec: { hostAliases: [{ ip: address, hostnames }] } } },
      },
    ],
    use: {
      kind: 'Deployment|DaemonSet',
      labelSelector: `app.kubernetes.io/name in (${askers.join(',')})`,
    },
  };
}
