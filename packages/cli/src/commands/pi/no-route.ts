import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';

/** It may be intentional, in a network without internet. */
export function warnOfNoRoute(io: Io, who: string): void {
  complain(
    io,
    `${who}: has no default route or name server, because rack.yaml does not specify a router; set network.gateway there, or specify --gateway`,
  );
}
