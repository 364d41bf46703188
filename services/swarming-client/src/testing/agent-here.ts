import { createLogger } from '@skolo/common/light';
import { Registry } from 'prom-client';
import { type AgentOptions, type RunningAgent, startAgent } from '../agent.ts';

/** The agent in the test's process, silent, on any free ports. */
export function startAgentHere(
  options: Pick<AgentOptions, 'metadataUrl' | 'stateDir'> & Partial<AgentOptions>,
): Promise<RunningAgent> {
  return startAgent({
    machine: 'rpi-1',
    rackFile: undefined,
    host: '127.0.0.1',
    port: 0,
    hookPort: 0,
    metricsPort: 0,
    log: createLogger({ service: 'swarming-client', level: 'silent' }),
    metrics: new Registry(),
    ...options,
  });
}
