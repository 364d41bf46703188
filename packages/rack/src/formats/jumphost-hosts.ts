/** Host headers of the services on the jumphost. */

import type { Rack } from '../rack/rack.ts';
import { serviceNames } from '../schema/service-ports.ts';
import { hostsOf, namesOf } from './hosts.ts';

/** The namespaces of kube/base. */
const namespaces = ['skolo', 'skolo-node'];

/** Host names, short and with the domain, and addresses: the jumphost, `hosts`, URLs of services, names in the cluster. */
export function jumphostHosts(rack: Rack): string[] {
  const { jumphost, network, services } = rack;
  const [self] = hostsOf(rack);
  const urls = serviceNames.flatMap((name) => {
    const { url, metricsUrl } = services[name];
    return [url, metricsUrl].flatMap((each) =>
      each === undefined ? [] : [new URL(each).hostname],
    );
  });
  return [
    jumphost.address,
    ...(self ? namesOf(self, network.domain) : []),
    ...(jumphost.hosts ?? []),
    ...serviceNames.flatMap(namesInCluster),
    ...urls.map((host) => host.replace(/^\[|\]$/g, '')),
  ];
}

/** All forms that resolve in a pod. */
function namesInCluster(service: string): string[] {
  const full = namespaces.map((namespace) => `${service}.${namespace}`);
  return [service, ...full.flatMap((name) => [name, `${name}.svc`, `${name}.svc.cluster.local`])];
}
