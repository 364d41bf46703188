/** Everything that is simulated, in the order in which it is printed. */
import type { AgentComputer } from '../agent-computer.ts';
import { startEquipment } from './equipment.ts';
import { startPubSub } from './google-pubsub.ts';
import { startGoogleTokens } from './google-tokens.ts';
import { startPhone } from './phone.ts';
import type { StartSimulator } from './simulator.ts';
import { startSwarmingServer } from './swarming.ts';

const always: readonly StartSimulator[] = [startGoogleTokens, startPubSub, startEquipment];

/** Including what the agent needs, if it runs. */
export function simulatorsFor(computer: AgentComputer | undefined): readonly StartSimulator[] {
  if (computer === undefined) return always;
  return [
    ...always,
    (needs) => startSwarmingServer(computer, needs),
    (needs) => startPhone(computer, needs),
  ];
}
