/** kustomization.yaml of the derived files: a component, so that its patches reach the overlay of the rack. */
import type { Json, Rack } from '../rack/rack.ts';
import type { DerivedFile } from './derived-file.ts';

/** Lists the files; the facts become the ConfigMap `rack-facts` of both namespaces, whose name changes with them. */
export function kustomization(files: readonly DerivedFile[], rack: Rack): Json {
  const literals = Object.entries(rackFacts(rack)).map(([key, value]) => `${key}=${value}`);
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    // The last component, so that every object gets the label, which `kubectl apply --prune` requires.
    labels: [{ pairs: { 'app.kubernetes.io/part-of': 'skolo' } }],
    resources: files.filter(({ use }) => use === 'resource').map(({ name }) => name),
    configMapGenerator: ['skolo', 'skolo-node'].map((namespace) => ({
      name: 'rack-facts',
      namespace,
      literals,
    })),
    patches: files.flatMap(({ name, use }) =>
      use === 'resource' ? [] : [{ path: name, target: { ...use } }],
    ),
  };
}

/** Data of the ConfigMap `rack-facts`. Values that a rack does not have are empty, because a pod does not start without a key. */
function rackFacts(rack: Rack): Record<string, string> {
  return {
    SKOLO_RACK_NAME: rack.name,
    SKOLO_RACK_SUBNET: rack.network.subnet ?? '',
    SKOLO_RACK_DOMAIN: rack.network.domain,
    SKOLO_JUMPHOST_NAME: rack.jumphost.name,
    SKOLO_JUMPHOST_ADDRESS: rack.jumphost.address,
  };
}
