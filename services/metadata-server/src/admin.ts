/** What the metadata server tells of itself, on its metrics port: who asked, and how fresh tokens are. */
import { type MetadataClient, type MetadataIdentity, metadataServerApi } from '@skolo/api';
import { bindRoutes, type LastSuccess } from '@skolo/common';
import type { Client, Clients } from './clients.ts';
import type { RackState } from './rack-state.ts';
import type { Tokens } from './tokens.ts';

export interface AdminDeps {
  state: () => RackState;
  clients: Clients;
  tokens: Tokens;
  lastSuccess: LastSuccess;
}

export function adminRoutes({ state, clients, tokens, lastSuccess }: AdminDeps) {
  return bindRoutes(metadataServerApi, {
    clients: () => ({ status: 200 as const, body: { clients: knownClients(state(), clients) } }),
    identities: () => {
      const identities = tokens.status().map(({ account, token }): MetadataIdentity => {
        const { name, project, scopes } = account.identity;
        const succeeded = lastSuccess.get(name);
        return {
          name,
          project,
          scopes,
          ...(account.email !== undefined && { email: account.email }),
          ...(token.unexpired() && { tokenRemainingSeconds: Math.floor(token.secondsLeft()) }),
          ...(succeeded !== undefined && { lastSuccess: time(succeeded) }),
          ...(token.lastFailure && {
            lastFailure: time(token.lastFailure.at),
            lastFailureReason: token.lastFailure.why,
          }),
        };
      });
      return { status: 200 as const, body: { identities } };
    },
  });
}

/** Everybody who asked, newest first, and then the machines that never did: the ones to look at. */
function knownClients({ rack }: RackState, clients: Clients): MetadataClient[] {
  const asked = clients.list();
  const names = new Set(asked.map(({ name }) => name));
  const silent = [...rack.machines.values()].filter(({ name }) => !names.has(name));
  return [
    ...asked.map(shown),
    ...silent.map(({ name, address, identity }): MetadataClient => {
      const given = identity ?? rack.defaultIdentity;
      return {
        name,
        kind: 'machine',
        requests: 0,
        ...(address !== undefined && { address }),
        ...(given !== undefined && given !== 'none' && { identity: given }),
      };
    }),
  ];
}

function shown({
  name,
  kind,
  address,
  identity,
  lastAsked,
  lastTokenAsked,
  requests,
}: Client): MetadataClient {
  return {
    name,
    kind,
    address,
    requests,
    lastAsked: time(lastAsked),
    ...(identity !== undefined && { identity }),
    ...(lastTokenAsked !== undefined && { lastTokenAsked: time(lastTokenAsked) }),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
