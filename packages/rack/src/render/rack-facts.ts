/** What parts of kube/base that are not ours want to know of a rack: as environment variables. */
import type { Rack } from '../rack.ts';

/** Data of the ConfigMap `rack-facts`. What a rack does not have is empty, since a pod does not start without a key. */
export function rackFacts(rack: Rack): Record<string, string> {
  return {
    SKOLO_RACK_NAME: rack.name,
    SKOLO_RACK_SUBNET: rack.network.subnet ?? '',
    SKOLO_RACK_DOMAIN: rack.network.domain,
    SKOLO_JUMPHOST_NAME: rack.jumphost.name,
    SKOLO_JUMPHOST_ADDRESS: rack.jumphost.address,
  };
}
