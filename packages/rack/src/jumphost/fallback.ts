/**
 * Shared with skolo-fallback: records on a jumphost and in its cluster of services that another program serves instead of
 * k3s.
 */
import { z } from 'zod';

/** On the jumphost: a file `SERVICE.json` for each such service. */
export const failedOverFolder = '/var/lib/skolo/fallback/failed-over';
/** On the jumphost: a file `SERVICE.json` with units of an existing system that have served, a JSON array; it stays after a fail-back. */
export const existingUnitsFolder = '/var/lib/skolo/fallback/existing';

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

/** The table of the power-cycle daemon's journal with outlets that must be turned on: CONTROLLER/OUTLET. The fence reads it. */
export const pendingOnTable = 'pending-on';
