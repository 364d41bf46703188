/** What people request of an agent through this service. */
import { ApiError, ApiUnreachable, type Client, type swarmingClientApi } from '@skolo/api';
import { errorText } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { agentClient } from '../collect/agent-client.ts';

/** Rejections that the agent explains itself. */
const passed: ReadonlySet<number> = new Set([404, 409, 501]);

/** @throws HttpProblem 404, 409 from the agent; 501 it is older; 503 it does not respond, or rejects this service. */
export async function askAgent<T>(
  rack: Rack,
  machine: string,
  ask: (agent: Client<typeof swarmingClientApi>) => Promise<T>,
): Promise<T> {
  try {
    return await ask(await agentClient(rack, machine));
  } catch (error) {
    if (error instanceof ApiError) {
      const detail = `the agent on ${machine}: ${error.problem.detail.slice(0, 1000)}`;
      throw new HttpProblem(passed.has(error.status) ? error.status : 503, detail, {
        cause: error,
      });
    }
    const isUnclear = error instanceof ApiUnreachable && error.mayHaveArrived;
    const why = error instanceof ApiUnreachable ? error.why : errorText(error);
    const detail = isUnclear
      ? `the agent on ${machine} may have received the request, but did not respond: ${why}; repeat the request with the same Idempotency-Key, or check the result with skolo machine status ${machine}`
      : `the agent on ${machine} could not be reached: ${why}`;
    throw new HttpProblem(503, detail, { cause: error });
  }
}
