/**
 * Decides which services a push leaves alone, because an operator has failed them over to another program on the jumphost: our own unit
 * or an existing system (services/fallback). A push does not start their pods, and leaves their ports to the host.
 */
import { failedOverAnnotation, releasedPortAnnotation } from '@skolo/rack/jumphost';
import { z } from 'zod';
import { type KubeObject, keyOf } from './objects.ts';

const LoadBalancer = z.looseObject({
  type: z.literal('LoadBalancer'),
  externalTrafficPolicy: z.string().exactOptional(),
});
const Spec = z.looseObject({});

interface Held {
  wanted: KubeObject[];
  /** For people, a text for each service. */
  held: string[];
}

/** @param live objects of the rack, by key */
export function leaveHeld(
  wanted: readonly KubeObject[],
  live: ReadonlyMap<string, KubeObject>,
): Held {
  const reasons = new Map<string, string>();
  for (const { kind, metadata } of live.values()) {
    if (kind !== 'Namespace') continue;
    for (const [key, why] of Object.entries(metadata.annotations ?? {})) {
      if (!key.startsWith(failedOverAnnotation)) continue;
      reasons.set(`${metadata.name}/${key.slice(failedOverAnnotation.length)}`, why);
    }
  }
  const held: string[] = [];
  const objects = wanted.map((object) => {
    const { kind, metadata } = object;
    const why = reasons.get(`${metadata.namespace}/${metadata.name}`);
    const { annotations = {} } = live.get(keyOf(object))?.metadata ?? {};
    const isLent = annotations[releasedPortAnnotation] !== undefined;
    if (kind === 'Service' && (why !== undefined || isLent)) return lend(object);
    if (kind !== 'Deployment' || why === undefined) return object;
    held.push(`${metadata.name}: ${why}; it stays scaled to 0`);
    return { ...object, spec: { ...Spec.parse(object.spec), replicas: 0 } };
  });
  return { wanted: objects, held };
}

function lend(object: KubeObject): KubeObject {
  const { data } = LoadBalancer.safeParse(object.spec);
  if (data === undefined) return object;
  const { type, externalTrafficPolicy, ...rest } = data;
  const annotations = {
    ...object.metadata.annotations,
    [releasedPortAnnotation]: JSON.stringify({ type, externalTrafficPolicy }),
  };
  return {
    ...object,
    metadata: { ...object.metadata, annotations },
    spec: { ...rest, type: 'ClusterIP' },
  };
}
