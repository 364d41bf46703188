/** Requests to a machine's agent, such as whether a task is running. If it is silent, nothing is known, and nothing waits. */
import {
  type AgentStatus,
  ApiError,
  ApiUnreachable,
  createClient,
  createSigner,
  type Signer,
  swarmingClientApi,
} from '@skolo/api';
import { errorText } from '@skolo/base';
import { readAgentKey } from '@skolo/base/secrets';
import { type Machine, type Rack, serviceUrl } from '@skolo/rack';

export interface Agent {
  /** Undefined when it does not respond within `timeoutMs`. */
  status(timeoutMs: number, signal: AbortSignal): Promise<AgentStatus | undefined>;
  /** Asks the machine to reboot. Undefined: accepted. */
  reboot(why: string, timeoutMs: number, signal: AbortSignal): Promise<NotRebooted | undefined>;
}

interface NotRebooted {
  why: string;
  /** Only the answer is missing: it may still reboot. */
  maybe: boolean;
}

/** Strangers have root on that machine: a long answer is not read. */
const mostBytes = 64 * 1024;

/** @throws SecretError, Error There is no key to sign with. */
export async function agentSigner(rack: Rack, machine: string): Promise<Signer> {
  return createSigner(await readAgentKey(rack), { rack: rack.name, machine });
}

/** Undefined for a machine without an address. */
export function agentOf(rack: Rack, machine: Machine): Agent | undefined {
  if (machine.address === undefined) return undefined;
  const baseUrl = serviceUrl(rack, 'swarming-client', machine);

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
        const signer = await agentSigner(rack, machine.name);
        const client = createClient(swarmingClientApi, {
          baseUrl,
          mostBytes,
          rack: rack.name,
          signer,
        });
        await client.reboot({ body: { why }, timeoutMs, signal });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        const text = errorText(error).slice(0, 500);
        if (error instanceof ApiError)
          return { why: `the agent rejected the request: ${text}`, maybe: false };
        if (!(error instanceof ApiUnreachable)) {
          return { why: `the agent was not queried: ${text}`, maybe: false };
        }
        return { why: `the agent did not respond: ${text}`, maybe: error.mayHaveArrived };
      }
    },
  };
}
