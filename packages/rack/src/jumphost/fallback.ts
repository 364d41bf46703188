/**
 * What skolo-fallback and others agree on: notes on a jumphost and in its cluster of services that something else serves in place of
 * k3s.
 */
import { z } from 'zod';

/** On the jumphost: a file `SERVICE.json` for each such service. */
export const heldFolder = '/var/lib/skolo/fallback/held';

/** Content of such a file. */
export const HeldService = z.object({
  by: z.string(),
  since: z.string(),
  /** Units of a former system that serve; absent: our own unit does. */
  former: z.array(z.string()).exactOptional(),
});
export type HeldService = z.output<typeof HeldService>;

/** On a Namespace, with the name of the Deployment behind it: what serves instead. */
export const heldAnnotation = 'skolo/held.';
/** On a Service whose port was lent to the host: what it was before, which `skolo-fallback give` restores. */
export const lentAnnotation = 'skolo/lent-to-the-host';

/** The table of the power-cycle daemon's journal with outlets that are to come on: CONTROLLER/OUTLET. The fence reads it. */
export const pendingOnTable = 'debt';
