/**
 * What skolo-fallback and others agree on: notes on a jumphost and in its cluster of services that something else serves in place of
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

/** On a Namespace, with the name of the Deployment behind it: what serves instead. */
export const failedOverAnnotation = 'skolo/failed-over.';
/** On a Service whose port was released for the host: what it was before, which `skolo-fallback fail-back` restores. */
export const releasedPortAnnotation = 'skolo/released-port';

/** The table of the power-cycle daemon's journal with outlets that are to come on: CONTROLLER/OUTLET. The fence reads it. */
export const pendingOnTable = 'pending-on';
