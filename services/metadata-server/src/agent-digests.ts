/** Which token opens the agent on each machine: a digest, which only that machine gets. */
import { errorText } from '@skolo/errors';
import type { Rack } from '@skolo/rack';
import { agentToken, agentTokenDigest, readSecret, type Secret } from '@skolo/secrets';

/** By name of the machine; absent where its login has no token, or one that cannot be read. */
export type AgentDigests = ReadonlyMap<string, string>;

export interface AgentTokens {
  digests: AgentDigests;
  /** Logins whose token cannot be read, and why. That takes away their digests, and nothing else. */
  unreadable: ReadonlyMap<string, string>;
}

/** Reads the token of each login that a machine has. */
export async function readAgentTokens(rack: Rack): Promise<AgentTokens> {
  const machines = [...rack.machines.values()];
  const names = new Set(machines.flatMap(({ login }) => login ?? []));
  const tokens = new Map<string, Secret>();
  const unreadable = new Map<string, string>();
  for (const name of names) {
    const token = rack.logins.get(name)?.token;
    if (token === undefined) continue;
    try {
      tokens.set(name, await readSecret(rack, token));
    } catch (error) {
      unreadable.set(name, errorText(error));
    }
  }
  const digests = new Map<string, string>();
  for (const { name, login } of machines) {
    const token = login === undefined ? undefined : tokens.get(login);
    if (token) digests.set(name, agentTokenDigest(agentToken(token.reveal(), name)));
  }
  return { digests, unreadable };
}
