/**
 * Decides who may call the status port: callers that sign with the rack's key for agents. The machine only has its public key, and no
 * secret, so a task with root on it cannot call another agent.
 */

import { parseAgentPublicKey } from '@skolo/base/secrets';
import {
  type Access,
  Challenges,
  type Clock,
  cameThroughProxy,
  inNetworks,
  normaliseAddress,
  unsigned,
} from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';

interface SignedAccessDeps {
  machine: string;
  machinePart: () => Pick<MachinePart, 'rack' | 'agent'> | undefined;
  clock: Pick<Clock, 'uptime'>;
}

export function signedAccess({ machine, machinePart, clock }: SignedAccessDeps): Access {
  const challenges = new Challenges(clock);
  return {
    headers: () => challenges.headers(),
    /** @throws HttpProblem 401, 429 */
    admit(request, role) {
      const { rack = '', agent } = machinePart() ?? {};
      const { publicKey, anonymousRead = [] } = agent ?? {};
      if (request.headers['signature-input'] !== undefined && publicKey !== undefined) {
        const key = parseAgentPublicKey(publicKey);
        const digest = challenges.verify(request, { rack, machine, key });
        return { name: 'access.agents', role: 'operate', by: 'signature', digest };
      }
      const address = normaliseAddress(request.socket.remoteAddress ?? '');
      // Behind a proxy, every caller has the address of the proxy.
      const isForeign = address === undefined || cameThroughProxy(request);
      if (role === 'view' && !isForeign && inNetworks(anonymousRead)(address)) {
        return { name: 'anonymous', role: 'view', by: 'network' };
      }
      throw unsigned(
        publicKey === undefined
          ? 'you cannot sign in: rack.yaml does not set access.agents.publicKey, or the agent has not received rack.yaml yet'
          : 'sign the request with the access.agents key (skolo machine does this automatically)',
      );
    },
  };
}
