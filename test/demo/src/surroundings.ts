/** What a rack has around it in real life: the passwords of its equipment, and all that stands in for something. */
import type { Rack, RackWatch } from '@skolo/rack';
import { makeUpLoginSecrets } from './login-secrets.ts';
import { standIns } from './stand-ins/index.ts';
import type { StandIn } from './stand-ins/stand-in.ts';
import { makeUpTokens } from './tokens.ts';

export interface Surroundings {
  readonly standIns: readonly StandIn[];
  close(): Promise<void>;
}

/** Makes what rack.yaml expects to be there, and goes on with that when it is edited. */
export async function startSurroundings(
  rack: RackWatch,
  dir: string,
  onError: (error: Error) => void,
): Promise<Surroundings> {
  const started: StandIn[] = [];
  async function closeAll() {
    for (const standIn of started) await standIn.close();
  }
  async function follow(edited: Rack) {
    await makeUpLoginSecrets(edited, dir);
    await makeUpTokens(edited, dir);
    for (const standIn of started) await standIn.follow(edited, dir);
  }

  try {
    for (const start of standIns) started.push(await start((text) => onError(new Error(text))));
    await follow(rack.rack);
  } catch (error) {
    await closeAll();
    throw error;
  }
  let following = Promise.resolve();
  const unfollow = rack.onChange((edited) => {
    following = following.then(() => follow(edited)).catch(onError);
  });
  return {
    standIns: started,
    async close() {
      unfollow();
      await following;
      await closeAll();
    },
  };
}
