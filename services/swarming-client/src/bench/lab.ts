/** The system under test: an agent with one phone and a running bot, with everything around them in the process of the bench. */
import { pause } from '@skolo/base';
import { bundleOf, NotRun } from '@skolo/bench';
import { peer } from '@skolo/simulators';
import type { AgentProcess } from '../testing/agent-process.ts';
import { Lab, machine } from '../testing/lab.ts';

interface Measured {
  agent: AgentProcess;
  lab: Lab;
}

/** The sleep time that the server sends to an idle bot. A real one is longer. */
const idleSeconds = 10;
const wellWithinMs = 60_000;

/** Fulfilled with the measurement, taken while the phone is well and the bot has polled for tasks. */
export async function withAgent<T>(
  readSeconds: number,
  measure: (measured: Measured) => Promise<T>,
): Promise<T> {
  for (const name of ['python3', 'adb'] as const) {
    if (!peer(name)) throw new NotRun(`${name} is not installed`);
  }
  const lab = await Lab.open({
    phones: [{ serial: '0A1B2C3D', model: 'pixel-5' }],
    idleSeconds,
    readSeconds,
    main: await bundleOf('swarming-client'),
  });
  try {
    const agent = await lab.startAgent();
    await untilWell({ agent, lab });
    return await measure({ agent, lab });
  } finally {
    await lab.close();
  }
}

async function untilWell({ agent, lab }: Measured): Promise<void> {
  const until = Date.now() + wellWithinMs;
  for (;;) {
    const { health } = await agent.status();
    const polls = lab.swarming.bots.get(machine)?.polls ?? 0;
    if (health?.verdict === 'ok' && polls > 0) return;
    if (Date.now() > until) throw new Error(`the agent is not well:\n${agent.text()}`);
    await pause(200);
  }
}
