/** kustomization.yaml of the derived files: a component, so that its patches reach what the rack's overlay has. */
import type { Json } from '../rack.ts';
import type { DerivedFile } from './derived-file.ts';

/** Lists the files; the facts become the ConfigMap `rack-facts` of both namespaces, whose name changes with them. */
export function kustomization(files: readonly DerivedFile[], facts: Record<string, string>): Json {
  const literals = Object.entries(facts).map(([key, value]) => `${key}=${value}`);
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    // A rack applies this component last, so the label reaches every object of the rack: `kubectl apply --prune` relies on it.
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
