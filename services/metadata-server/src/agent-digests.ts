/** Which token opens the agent on each machine: a digest, told to that machine only. */

import type { Rack } from '@skolo/rack';
import { agentToken, agentTokenDigest, readSecret, type Secret } from '@skolo/secrets';

/** By name of the machine; absent where its login has no token, or one that cannot be read. */
export type AgentDigests = ReadonlyMap<string, string>;

/** Reads the token of each login that a machine has. One that cannot be read takes away that, and nothing else. */
export async function readAgentDigests(
  rack: Rack,
  onUnreadable: (login: string, error: unknown) => void,
): Promise<AgentDigests> {
  const machines = [...rack.machines.values()];
  const names = new Set(machines.flatMap(({ login }) => login ?? []));
  const tokens = new Map<string, Secret>();
  for (const name of names) {
    const token = rack.logins.get(name)?.token;
    if (token === undefined) continue;
    try {
      tokens.set(name, await readSecret(rack, token));
    } catch (error) {
      onUnreadable(name, error);
    }
  }
  const digests = new Map<string, string>();
  for (const { name, login } of machines) {
    const token = login === undefined ? undefined : tokens.get(login);
    if (token) digests.set(name, agentTokenDigest(agentToken(token.reveal(), name)));
  }
  return digests;
}
