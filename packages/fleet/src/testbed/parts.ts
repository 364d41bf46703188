/** The parts of kube/testbed, in the order in which they are applied. */
import { join } from 'node:path';
import type { Kubectl } from '../kubectl.ts';
import { type KubeObject, readAnswer, readObjects } from '../push/objects.ts';
import type { Rack } from '../push/rack.ts';

export interface Part {
  /** Its folder. */
  name: string;
  /** Has claims, which need a default StorageClass. */
  hasClaims?: true;
  /** Its users sign in by the Secret of its name. */
  hasPassword?: true;
  /** Only for those who ask for it, or have it already. */
  isOptional?: true;
}

export const parts: readonly Part[] = [
  { name: 'namespaces' },
  { name: 'storage' },
  { name: 'metrics-server' },
  { name: 'prometheus' },
  { name: 'grafana', hasPassword: true },
  { name: 'dashboard' },
  { name: 'registry', hasClaims: true },
  { name: 'pipeline', hasClaims: true },
  { name: 'jenkins', hasClaims: true, hasPassword: true, isOptional: true },
];

/** Value of the label `app.kubernetes.io/part-of` of all that the testbed has. */
export const testbedLabel = 'skolo-testbed';

/** All kinds that the testbed has, without those that hold data. Every cluster knows them. */
export const kinds = [
  'apiservices',
  'clusterrolebindings',
  'clusterroles',
  'configmaps',
  'cronjobs.batch',
  'daemonsets.apps',
  'deployments.apps',
  'jobs.batch',
  'networkpolicies.networking.k8s.io',
  'rolebindings',
  'roles',
  'secrets',
  'serviceaccounts',
  'services',
];

/** Objects of the testbed. */
export async function readTestbed(
  { kubectl }: Rack,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const selector = `app.kubernetes.io/part-of=${testbedLabel}`;
  const args = ['get', wanted.join(','), '-A', '-l', selector, '--show-managed-fields'];
  return readAnswer(await kubectl([...args, '-o', 'json'], { signal }));
}

/**
 * @param folder `kube/testbed` of the clone
 * @throws KubectlError kustomize rejects it.
 */
export async function renderPart(
  kubectl: Kubectl,
  folder: string,
  { name }: Part,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  return readObjects(await kubectl(['kustomize', join(folder, name)], { signal }));
}
