/** The components that a cluster already contains, so that nothing is installed twice. */
import { z } from 'zod';
import type { KubeObject } from '../push/objects.ts';
import { getObjects, type Rack } from '../push/rack.ts';
import { isRejected } from '../way/kubectl.ts';
import { testbedLabel } from './parts.ts';

export interface Nfs {
  server: string;
  path: string;
}

export interface ClusterFacts {
  /** Name of the class for claims without one. */
  defaultClass?: string;
  /** The export that was specified for an earlier `up`. */
  nfs?: Nfs;
  /** Another metrics server, such as k3s's, serves `kubectl top`. */
  hasMetricsServer: boolean;
  /** An earlier `up` installed Jenkins. */
  hasJenkins: boolean;
}

export const Volume = z.looseObject({
  spec: z.looseObject({ nfs: z.object({ server: z.string(), path: z.string() }).optional() }),
});

const defaultClass = 'storageclass.kubernetes.io/is-default-class';

export async function readFacts(cluster: Rack): Promise<ClusterFacts> {
  const classes = await getObjects(cluster, ['storageclasses']);
  const byDefault = classes.find(({ metadata }) => metadata.annotations?.[defaultClass] === 'true');
  const volume = await readOne(cluster, ['pv', 'testbed-nfs']);
  const nfs = volume && Volume.parse(volume).spec.nfs;
  const api = await readOne(cluster, ['apiservice', 'v1beta1.metrics.k8s.io']);
  const jenkins = await readOne(cluster, ['deployment', 'jenkins', '-n', 'testbed']);
  return {
    hasJenkins: jenkins !== undefined,
    ...(byDefault && { defaultClass: byDefault.metadata.name }),
    ...(nfs && { nfs }),
    hasMetricsServer:
      api !== undefined && api.metadata.labels?.['app.kubernetes.io/part-of'] !== testbedLabel,
  };
}

/** An object by kind and name; undefined: it does not exist. */
export async function readOne(
  cluster: Rack,
  what: readonly string[],
): Promise<KubeObject | undefined> {
  try {
    return (await getObjects(cluster, what))[0];
  } catch (error) {
    if (isRejected(error, 'NotFound')) return undefined;
    throw error;
  }
}
