/**
 * Decides whether a request is from a machine's own agent: by its address, and by a signature with the agent's key. The first key seen is
 * trusted from then on, like an ssh host key, until an operator forgets it: after that, taking over the address is not enough.
 */

import { agentKeyHeader } from '@skolo/api/signature';
import { keyFingerprint } from '@skolo/base';
import { parseAgentPublicKey } from '@skolo/base/secrets';
import {
  type Caller,
  Challenges,
  type Clock,
  clientAddress,
  HttpProblem,
  unsigned,
} from '@skolo/common';
import type { Access } from '@skolo/common/light';
import type { HostKeys } from '@skolo/equipment/transports';
import type { Rack } from '@skolo/rack';
import { machineAt } from '../rules/targets.ts';

interface MachineAccessDeps {
  rack: () => Rack;
  clock: Pick<Clock, 'uptime'>;
  hostKeys: Pick<HostKeys, 'get' | 'pin'>;
}

/** The name of a machine's agent key among the pinned keys. */
export function agentKeyName(machine: string): string {
  return `agent of ${machine}`;
}

/** Adds machine sign-in to that of people and programs. */
export function machineAccess(people: Access, deps: MachineAccessDeps): Access {
  const { rack, clock, hostKeys } = deps;
  const challenges = new Challenges(clock);
  return {
    headers: () => challenges.headers(),
    admit: (request, role, log, right) => people.admit(request, role, log, right),
    /** @throws HttpProblem 401: not signed; 403: not a machine of the rack, or a different key; 429 */
    async admitMachine(request): Promise<Caller> {
      const from = clientAddress(request);
      const machine = machineAt(rack(), from)?.name;
      if (machine === undefined) {
        const hint =
          'to act on any machine, use skolo power cycle or skolo power holds with a token';
        throw new HttpProblem(403, `${from} is not the address of a machine in rack.yaml; ${hint}`);
      }
      const shown = `${request.headers[agentKeyHeader]}`;
      if (!/^[\w-]{43}$/.test(shown)) {
        throw unsigned(
          `sign the request with the agent key of ${machine}; if the agent does not sign requests, update the agent`,
        );
      }
      const whom = { rack: rack().name, machine, key: parseAgentPublicKey(shown) };
      const digest = challenges.verify(request, whom);
      const fingerprint = keyFingerprint(Buffer.from(shown, 'base64url'));
      if ((hostKeys.get(agentKeyName(machine)) ?? fingerprint) !== fingerprint) {
        const hint = `if its SD card was replaced, run: skolo equipment forget ${machine}`;
        const why = `the agent on ${machine} used a different key before, so another computer may be using its address`;
        throw new HttpProblem(403, `${why}; ${hint}`);
      }
      await hostKeys.pin(agentKeyName(machine), fingerprint);
      return { name: machine, role: 'view', by: 'signature', digest };
    },
  };
}
