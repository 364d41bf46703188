/**
 * Shared with skolo-fallback: records on a jumphost and in its cluster of services that another program serves instead of
 * k3s.
 */
import { z } from 'zod';

/** On the jumphost: a file `SERVICE.json` for each such service. */
export const failedOverFolder = '/var/lib/skolo/fallback/failed-over';

/** Content of such a file. */
export const FailedOver = z.object({
  by: z.string(),
  since: z.string(),
  /** Units of an existing system that serve; absent: our own unit does. */
  existing: z.array(z.string()).exactOptional(),
});
export type FailedOver = z.output<typeof FailedOver>;

/** Annotation of a Namespace, followed by the Deployment's name: the program that serves instead. */
export const failedOverAnnotation = 'skolo/failed-over.';
/** Annotation of a Service whose port was released for the host: its previous value, which `skolo-fallback fail-back` restores. */
export const releasedPortAnnotation = 'skolo/released-port';

/**
 * Of the Lease `skolo-push` in the namespace `skolo`: the push that skolo-fallback rolled back, because its workstation was gone. The
 * next successful push removes it.
 */
export const rolledBackAnnotation = 'skolo/rolled-back';

/** Its value, as JSON. */
export const RolledBack = z.object({ push: z.string(), by: z.string(), at: z.string() });
export type RolledBack = z.output<typeof RolledBack>;

/** Key of the Secret `skolo-push`, which exists while a push is unfinished: JSON, compressed with Brotli. */
export const unfinishedPushKey = 'push.json.br';

const KubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

export const UnfinishedPush = z.object({
  id: z.string(),
  by: z.string(),
  /** Everything has been applied and is healthy; only the commit is missing. */
  isApplied: z.boolean(),
  /** Objects as they were before the push. */
  restore: z.array(KubeObject),
  /** Objects that the push creates. */
  remove: z.array(KubeObject),
  /** What another workstation needs to continue. */
  record: z.unknown(),
});
export type UnfinishedPush = z.output<typeof UnfinishedPush>;

/** The table of the power-cycle daemon's journal with outlets that must be turned on: CONTROLLER/OUTLET. The fence reads it. */
export const pendingOnTable = 'pending-on';
