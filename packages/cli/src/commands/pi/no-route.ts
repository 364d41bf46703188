import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** It may be intentional, in a network without internet. */
export function warnOfNoRoute(io: Io, who: string): void {
  complain(
    io,
    `${who}: no gateway is known, so there will be no default route, and no name server unless you specify --dns; specify --gateway or, without --address, set network.gateway in rack.yaml`,
  );
}
