/** A rack's surroundings in real life: the passwords of its equipment, and all simulators. */
import type { Rack, RackWatch } from '@skolo/rack';
import type { AgentComputer } from './agent-computer.ts';
import { makeUpLoginSecrets } from './folder/login-secrets.ts';
import { makeUpTokens } from './folder/tokens.ts';
import { simulatorsFor } from './simulators/index.ts';
import type { Simulator } from './simulators/simulator.ts';

interface Surroundings {
  /** Stops following. */
  close(): Promise<void>;
}

interface FollowOptions {
  /** Of rack.yaml. */
  dir: string;
  started: readonly Simulator[];
  onError: (error: Error) => void;
}

/** Starts the simulators, as far as they do not depend on rack.yaml. */
export async function startSimulators(
  host: string,
  onError: (error: Error) => void,
  computer: AgentComputer | undefined,
  hasAdb: boolean,
): Promise<Simulator[]> {
  const started: Simulator[] = [];
  try {
    const onProblem = (text: string) => onError(new Error(text));
    for (const start of simulatorsFor(computer, hasAdb))
      started.push(await start({ host, onProblem, computer }));
  } catch (error) {
    await closeAll(started);
    throw error;
  }
  return started;
}

/** Creates what rack.yaml expects, and repeats that after each edit. */
export async function followRack(
  rack: RackWatch,
  { dir, started, onError }: FollowOptions,
): Promise<Surroundings> {
  async function follow(edited: Rack) {
    await makeUpLoginSecrets(edited, dir);
    await makeUpTokens(edited, dir);
    for (const simulator of started) await simulator.follow(edited, dir);
  }

  await follow(rack.rack);
  let following = Promise.resolve();
  const unfollow = rack.onChange((edited) => {
    following = following.then(() => follow(edited)).catch(onError);
  });
  return {
    async close() {
      unfollow();
      await following;
    },
  };
}

export async function closeAll(started: readonly Simulator[]): Promise<void> {
  for (const simulator of started) await simulator.close();
}
