/** The agent on a machine, asked at its status port. It may be silent: then nothing is known, and nobody waits. */
import {
  type AgentStatus,
  ApiError,
  type Client,
  createClient,
  swarmingClientApi,
} from '@skolo/api';
import { errorText } from '@skolo/common';
import { readCredentials } from '@skolo/equipment';
import { type Machine, type Rack, serviceUrl } from '@skolo/rack';

export interface Agent {
  /** Undefined when it does not answer within `timeoutMs`. */
  status(timeoutMs: number, signal: AbortSignal): Promise<AgentStatus | undefined>;
  /** Asks for a reboot of the machine. Gives why not, or undefined when it was accepted. */
  reboot(why: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
}

/** Undefined for a machine without an address. */
export function agentOf(rack: Rack, machine: Machine): Agent | undefined {
  if (machine.address === undefined) return undefined;
  const baseUrl = serviceUrl(rack, 'swarming-client', machine);

  async function signedIn(): Promise<Client<typeof swarmingClientApi>> {
    const { token } = await readCredentials(rack, machine.login);
    return createClient(swarmingClientApi, {
      baseUrl,
      ...(token !== undefined && { token: token.reveal() }),
    });
  }

  return {
    async status(timeoutMs, signal) {
      try {
        return await createClient(swarmingClientApi, { baseUrl }).status({ timeoutMs, signal });
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    },
    async reboot(why, timeoutMs, signal) {
      try {
        const client = await signedIn();
        await client.reboot({ body: { why }, timeoutMs, signal });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        return error instanceof ApiError
          ? `its agent refuses: ${errorText(error)}`
          : `its agent does not answer: ${errorText(error)}`;
      }
    },
  };
}
