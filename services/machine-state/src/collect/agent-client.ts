/** Sends people's orders and requests to an agent, signed for its machine. */
import { type Client, createClient, createSigner, swarmingClientApi } from '@skolo/api';
import { readAgentKey } from '@skolo/base/secrets';
import { type Rack, serviceUrl } from '@skolo/rack';
import { mostBytes } from './agent-watch.ts';

/** @throws SecretError The key for agents cannot be read. @throws Error rack.yaml has no such machine, or no key. */
export async function agentClient(
  rack: Rack,
  name: string,
): Promise<Client<typeof swarmingClientApi>> {
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`${name}: not in rack.yaml`);
  return createClient(swarmingClientApi, {
    baseUrl: serviceUrl(rack, 'swarming-client', machine),
    rack: rack.name,
    signer: createSigner(await readAgentKey(rack), { rack: rack.name, machine: name }),
    mostBytes,
  });
}
