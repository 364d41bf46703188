/** An agent needs no token for what is its own: its machine is known by the address that it asks from. */
import { HttpProblem, normaliseAddress } from '@skolo/common';
import type { Machine, Rack } from '@skolo/rack';

/**
 * @param hint what somebody else may do instead
 * @throws HttpProblem 403: there is no machine.
 */
export function machineAt({ machines }: Rack, from: string, hint: string): Machine {
  for (const machine of machines.values()) {
    if (machine.address !== undefined && normaliseAddress(machine.address) === from) return machine;
  }
  throw new HttpProblem(403, `${from} is no machine of rack.yaml; ${hint}`);
}
