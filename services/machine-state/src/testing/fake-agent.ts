/** Agents of the test's rack. They can misbehave like hostile ones. */
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { untilTestEnds } from '@skolo/base/testing';
import { type AgentOptions, startAgent } from '@skolo/scripted-services/agent';

export { okHealth, type ScriptedAgent as FakeAgent } from '@skolo/scripted-services/agent';

/** Signs requests to all agents, in this rack. */
export const agentKey = newAgentKey();
export const rackName = 'rack4';

/** @param ordersBy it accepts orders that are signed with this key */
export async function startFakeAgent(
  machine: string,
  {
    ordersBy = agentKey,
    status,
  }: { ordersBy?: typeof agentKey } & Pick<AgentOptions, 'status'> = {},
) {
  const publicKey = agentPublicKey(ordersBy);
  const options = { publicKey, rack: rackName, ...(status && { status }) };
  return untilTestEnds(await startAgent(machine, options));
}
