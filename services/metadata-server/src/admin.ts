/** The metadata server's own API, on its metrics port: its callers, and how fresh the tokens are. */
import { type MetadataClient, type MetadataIdentity, metadataServerApi } from '@skolo/api';
import { isoTime } from '@skolo/base';
import { bindRoutes } from '@skolo/common';
import type { CallerStats } from './caller/caller-stats.ts';
import type { CurrentStateDeps } from './state/current-state.ts';
import type { RackState } from './state/rack-state.ts';

interface AdminDeps extends Pick<CurrentStateDeps, 'stats' | 'tokens' | 'lastSuccess'> {
  state: () => RackState;
}

export function adminRoutes({ state, stats, tokens, lastSuccess }: AdminDeps) {
  return bindRoutes(metadataServerApi, {
    clients: () => ({ status: 200 as const, body: { clients: knownClients(state(), stats) } }),
    identities: () => {
      const identities = tokens.status().map(({ account, token }): MetadataIdentity => {
        const { name, project, scopes } = account.identity;
        return {
          name,
          project,
          scopes,
          email: account.email,
          tokenRemainingSeconds: token.unexpired() && Math.floor(token.secondsLeft()),
          lastSuccess: isoTime(lastSuccess.get(name)),
          lastFailure: isoTime(token.lastFailure?.at),
          lastFailureReason: token.lastFailure?.why,
        };
      });
      return { status: 200 as const, body: { identities } };
    },
  });
}

/** All callers, newest first, and then the machines that never made a request: the ones to look at. */
function knownClients({ rack }: RackState, stats: CallerStats): MetadataClient[] {
  const asked = stats.list().map((record) => ({
    ...record,
    lastAsked: isoTime(record.lastAsked),
    lastTokenAsked: isoTime(record.lastTokenAsked),
  }));
  const names = new Set(asked.map(({ name }) => name));
  const silent = [...rack.machines.values()].filter(({ name }) => !names.has(name));
  return [
    ...asked,
    ...silent.map(({ name, address, identity }): MetadataClient => {
      const given = identity ?? rack.defaultIdentity;
      const isGiven = given !== 'none';
      return { name, kind: 'machine', requests: 0, address, identity: isGiven ? given : undefined };
    }),
  ];
}
