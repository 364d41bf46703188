import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** Warns of an image without a default route. It may be intentional, in a network without internet. */
export function warnOfNoRoute(io: Io, who: string): void {
  complain(
    io,
    `${who}: the gateway is unknown, so the image will have no default route, and no name server unless you specify --dns. Specify --gateway or, without --address, set network.gateway in rack.yaml`,
  );
}
