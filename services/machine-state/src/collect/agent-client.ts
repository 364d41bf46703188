/** What people order and ask of an agent, with the token of its machine. */
import { type Client, createClient, swarmingClientApi } from '@skolo/api';
import { type Rack, serviceUrl } from '@skolo/rack';
import { agentToken, readSecret } from '@skolo/secrets';

/** A screen of a phone is a PNG of some megabytes. */
const mostBytes = 32 * 1024 * 1024;

/** @throws SecretError The token of the login cannot be read. @throws Error rack.yaml has no machine or no token. */
export async function agentClient(
  rack: Rack,
  name: string,
): Promise<Client<typeof swarmingClientApi>> {
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`${name}: not in rack.yaml`);
  const login = machine.login === undefined ? undefined : rack.logins.get(machine.login);
  if (login?.token === undefined) {
    const what = machine.login === undefined ? 'a `login`' : `\`logins.${machine.login}.token\``;
    throw new Error(`${name}: its agent needs a token; give rack.yaml ${what}`);
  }
  const token = await readSecret(rack, login.token);
  return createClient(swarmingClientApi, {
    baseUrl: serviceUrl(rack, 'swarming-client', machine),
    rack: rack.name,
    token: agentToken(token.reveal(), name),
    mostBytes,
  });
}
