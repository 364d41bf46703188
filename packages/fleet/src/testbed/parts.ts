/** The parts of kube/testbed, in the order in which they are applied. */
import type { KubeObject } from '../push/objects.ts';
import { getLabeled, type Rack } from '../push/rack.ts';

export interface Part {
  name: string;
  /** Contains claims, which require a default StorageClass. */
  hasClaims?: true;
  /** Its users sign in with the Secret of the same name. */
  hasPassword?: true;
  /** Only if requested or already installed. */
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

/** Value of the label `app.kubernetes.io/part-of` on all testbed objects. */
export const testbedLabel = 'skolo-testbed';

/** All kinds in the testbed, except those that contain data. Every cluster supports them. */
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

export async function readTestbed(cluster: Rack, wanted: readonly string[]): Promise<KubeObject[]> {
  return await getLabeled(cluster, wanted, `app.kubernetes.io/part-of=${testbedLabel}`);
}
