import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** It may be meant so, in a network without internet. */
export function warnOfNoRoute(io: Io, who: string): void {
  complain(
    io,
    `${who}: no default route and no name server, because rack.yaml names no router; write network.gateway there, or give --gateway`,
  );
}
