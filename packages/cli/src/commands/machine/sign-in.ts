/** Signs requests to a machine's agent with the rack's key for agents. */
import { createSigner, type Signer } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { type AgentClient, type AgentPlace, agentClient } from '../../reach/agents.ts';
import { explaining } from '../../reach/service-client.ts';

interface SignedIn {
  /** @throws CliError The agent rejects the request or does not respond; the message says what to do. */
  ask<T>(question: (client: AgentClient) => Promise<T>): Promise<T>;
}

export async function signIn(
  command: SkoloCommand,
  place: AgentPlace & { name: string },
  answers: 'status' | 'log',
): Promise<SignedIn> {
  const { signer, why } = await findSigner(command, place);
  const client = agentClient(place.url, {
    signer,
    answers,
    rack: place.rack?.name,
    fetch: place.fetch,
  });
  const signIn = { hint: why, statuses: [401, 403] };
  return { ask: (question) => explaining(() => question(client), command.globals(), signIn) };
}

/** `why` is the hint if the agent rejects the signature, or that there is none. */
async function findSigner(
  command: SkoloCommand,
  { name, rack }: AgentPlace & { name: string },
): Promise<{ signer?: Signer; why: string }> {
  const { rack: rackFile } = command.globals();
  if (rack === undefined)
    return { why: 'specify rack.yaml with --rack, because it names the key that signs requests' };
  const { readAgentKey } = await import('@skolo/secrets');
  try {
    const signer = createSigner(await readAgentKey(rack), { rack: rack.name, machine: name });
    return { signer, why: `the request was signed with access.agents.privateKey from ${rackFile}` };
  } catch (error) {
    const why = `the request could not be signed: ${rackFile}: ${errorText(error)}`;
    return {
      why: `${why}; without a signature, only clients in the networks of access.anonymousRead have read access`,
    };
  }
}
