/** Everything that is simulated, in the order in which it is printed. */
import { type AgentComputer, agentMachine } from '../agent-computer.ts';
import { startEquipment } from './equipment.ts';
import { startPubSub } from './google-pubsub.ts';
import { startGoogleTokens } from './google-tokens.ts';
import { startPhone } from './phone.ts';
import type { Simulator, SimulatorNeeds, StartSimulator } from './simulator.ts';
import { startSwarmingServer } from './swarming.ts';

const always: readonly StartSimulator[] = [startGoogleTokens, startPubSub, startEquipment];

/** Including what the agent needs, if it runs. */
export function simulatorsFor(
  computer: AgentComputer | undefined,
  hasAdb: boolean,
): readonly StartSimulator[] {
  if (computer === undefined) return always;
  return [
    ...always,
    (needs) => startSwarmingServer(computer, needs),
    (needs) => (hasAdb ? startPhone : startNoPhone)(computer, needs),
  ];
}

/** Without adb, the agent cannot reach the phone, so its machine has none. The simulated USB hub still hides this computer's. */
async function startNoPhone(computer: AgentComputer, needs: SimulatorNeeds): Promise<Simulator> {
  const { suggestions: _, ...phone } = await startPhone(computer, needs);
  return { ...phone, place: (rack) => rack.delete(['machines', agentMachine, 'device']) };
}
