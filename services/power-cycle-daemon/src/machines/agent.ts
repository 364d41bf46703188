/** The agent on a machine, asked at its status port. It may be silent: then nothing is known, and nothing waits. */
import {
  type AgentStatus,
  ApiError,
  ApiUnreachable,
  type Client,
  createClient,
  swarmingClientApi,
} from '@skolo/api';
import { errorText } from '@skolo/errors';

import { type Machine, type Rack, serviceUrl } from '@skolo/rack';
import { agentToken, readCredentials } from '@skolo/secrets';

export interface Agent {
  /** Undefined when it does not answer within `timeoutMs`. */
  status(timeoutMs: number, signal: AbortSignal): Promise<AgentStatus | undefined>;
  /** Asks for a reboot of the machine. Undefined: it was accepted. */
  reboot(why: string, timeoutMs: number, signal: AbortSignal): Promise<NotRebooted | undefined>;
}

export interface NotRebooted {
  why: string;
  /** Only the answer is missing: it may reboot all the same. */
  maybe: boolean;
}

/** Strangers are root on that machine: its answer is short, or is not read. */
const mostBytes = 64 * 1024;

/** Undefined for a machine without an address. */
export function agentOf(rack: Rack, machine: Machine): Agent | undefined {
  if (machine.address === undefined) return undefined;
  const baseUrl = serviceUrl(rack, 'swarming-client', machine);

  async function signedIn(): Promise<Client<typeof swarmingClientApi>> {
    const { token } = await readCredentials(rack, machine.login);
    return createClient(swarmingClientApi, {
      ...{ baseUrl, mostBytes, rack: rack.name },
      ...(token !== undefined && { token: agentToken(token.reveal(), machine.name) }),
    });
  }

  return {
    async status(timeoutMs, signal) {
      try {
        const client = createClient(swarmingClientApi, { baseUrl, mostBytes, rack: rack.name });
        return await client.status({ timeoutMs, signal });
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
        const text = errorText(error).slice(0, 500);
        if (error instanceof ApiError) return { why: `its agent refuses: ${text}`, maybe: false };
        const maybe = error instanceof ApiUnreachable && error.mayHaveArrived;
        return { why: `its agent does not answer: ${text}`, maybe };
      }
    },
  };
}
